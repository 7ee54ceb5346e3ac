// HTTP as a client needs it here: one bounded GET.

export interface HttpRequest {
  /** http: or https:, absolute, already percent-encoded. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The own IP address to leave from. */
  readonly from?: Uint8Array;
  /** A longer body is an error (HTTP_FAILED), read no further than that. */
  readonly maxBytes: number;
  /** From the call to the last byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded from gzip or deflate where it came so (the limit counts decoded bytes). */
  readonly body: Uint8Array;
  /** Where redirects (5 at most, http and https only) ended. */
  readonly url: string;
}

export interface Http {
  /** Rejects with HTTP_FAILED (no connection, time-out, too large, too many redirects); any status resolves. */
  get(request: HttpRequest): Promise<HttpResponse>;
}
