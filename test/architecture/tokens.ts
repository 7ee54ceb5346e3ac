// A small lexer for TypeScript: words, strings and signs with their lines; comments and regular expressions left out.

export interface Token {
  readonly kind: 'word' | 'string' | 'sign';
  /** The text; of a string what stands between the quotes. */
  readonly text: string;
  readonly line: number;
}

// Where a value may begin, `/` begins a regular expression; behind a value it divides.
const BEFORE_REGEX: ReadonlySet<string> = new Set('( [ { } , ; : = ! & | ? + - * % < > ~ ^ =>'.split(' '));
const WORDS_BEFORE_REGEX: ReadonlySet<string> = new Set(['return', 'typeof', 'case', 'in', 'of', 'await', 'yield']);

/** Good for what formatted code holds; template strings give the tokens of their `${…}` parts. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  // Depth of braces at which the `${` of each open template began.
  const templates: number[] = [];
  let depth = 0;

  const skipTo = (end: number): void => {
    for (; at < end; at++) if (text[at] === '\n') line++;
  };
  const push = (kind: Token['kind'], end: number, content: string): void => {
    tokens.push({ kind, text: content, line });
    skipTo(end);
  };
  const template = (from: number): void => {
    let end = from;
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) end += text[end] === '\\' ? 2 : 1;
    if (text.startsWith('${', end)) {
      templates.push(depth);
      skipTo(end + 2);
    } else {
      skipTo(end + 1);
      tokens.push({ kind: 'string', text: '', line });
    }
  };

  while (at < text.length) {
    const character = text[at]!;
    const word = /^[A-Za-z_$#][\w$]*/.exec(text.slice(at, at + 100));
    if (/\s/.test(character)) skipTo(at + 1);
    else if (text.startsWith('//', at)) skipTo(endOf(text, '\n', at));
    else if (text.startsWith('/*', at)) skipTo(endOf(text, '*/', at + 2));
    else if (character === "'" || character === '"') {
      const end = endOfString(text, at);
      push('string', end, text.slice(at + 1, end - 1));
    } else if (character === '`') template(at + 1);
    else if (character === '}' && templates[templates.length - 1] === depth) {
      templates.pop();
      template(at + 1);
    } else if (character === '/' && beginsRegex(tokens[tokens.length - 1])) skipTo(endOfRegex(text, at));
    else if (word) push('word', at + word[0].length, word[0]);
    else if (/\d/.test(character)) push('sign', at + /^[\w.]+/.exec(text.slice(at, at + 100))![0].length, '0');
    else {
      if (character === '{') depth++;
      if (character === '}') depth--;
      push('sign', at + 1, character);
    }
  }
  return tokens;
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== text[from]) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function beginsRegex(before: Token | undefined): boolean {
  if (!before) return true;
  if (before.kind === 'word') return WORDS_BEFORE_REGEX.has(before.text);
  return before.kind === 'sign' && BEFORE_REGEX.has(before.text);
}

function endOfRegex(text: string, from: number): number {
  let inClass = false;
  let at = from + 1;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) break;
  }
  return at + 1 + /^[a-z]*/.exec(text.slice(at + 1))![0].length;
}

export interface Import {
  /** What stands in the quotes. */
  readonly from: string;
  readonly line: number;
  /** `export * from`. */
  readonly everything: boolean;
}

/** Static, dynamic and type imports, and re-exports. */
export function importsOf(tokens: readonly Token[]): Import[] {
  const out: Import[] = [];
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' || tokens[i - 1]?.text === '.') return;
    if (token.text === 'import') {
      const direct = tokens[i + 1]?.text === '(' ? tokens[i + 2] : tokens[i + 1];
      if (direct?.kind === 'string') out.push({ from: direct.text, line: token.line, everything: false });
    }
    if (token.text === 'from' && tokens[i + 1]?.kind === 'string') {
      const begin = beginOfStatement(tokens, i);
      if (begin !== null) {
        const everything = tokens[begin]!.text === 'export' && tokens.slice(begin, i).some((part) => part.text === '*');
        out.push({ from: tokens[i + 1]!.text, line: token.line, everything });
      }
    }
  });
  return out;
}

/** The `import` or `export` that a `from` belongs to; null where it is some other `from`. */
function beginOfStatement(tokens: readonly Token[], from: number): number | null {
  for (let i = from - 1; i >= 0; i--) {
    const text = tokens[i]!.text;
    if (tokens[i]!.kind === 'word' && (text === 'import' || text === 'export')) return i;
    if (tokens[i]!.kind === 'string' || !(tokens[i]!.kind === 'word' || /^[{},*]$/.test(text))) return null;
  }
  return null;
}
