// Text from torrents and trackers, made safe for a terminal.

/**
 * Replaces what could steer a terminal or mislead the eye (control characters, escape sequences, line and direction
 * marks) by `?`. Names in every script stay as they are.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '?');
}
