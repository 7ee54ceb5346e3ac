// A strict reader of the text format of Prometheus 0.0.4: what it takes, every scraper takes.

export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  /** Value by name and labels, `peers{role="seed"}`. */
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const HELP_LINE = new RegExp(`^# HELP (${NAME}) (\\S.*)$`);
const TYPE_LINE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE_LINE = new RegExp(
  `^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|NaN|[+-]Inf)$`,
);

/** Families by name. Throws at the first line that is not as the format wants it. */
export function readMetrics(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, MetricFamily & { samples: Map<string, number> }>();
  const lines = text.slice(0, -1).split('\n');
  let name = '';
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const help = HELP_LINE.exec(line);
    if (help) {
      name = help[1]!;
      if (families.has(name)) throw new Error(`${name} comes twice`);
      const type = TYPE_LINE.exec(lines[++i] ?? '');
      if (type?.[1] !== name) throw new Error(`line ${i + 1}: the type of ${name} does not follow its help`);
      if (type[2] === 'counter' && !name.endsWith('_total'))
        throw new Error(`the counter ${name} does not end in _total`);
      families.set(name, { type: type[2]!, help: help[2]!, samples: new Map() });
      continue;
    }
    const sample = SAMPLE_LINE.exec(line);
    if (sample === null) throw new Error(`line ${i + 1} is no sample: ${line}`);
    if (sample[1] !== name) throw new Error(`line ${i + 1}: a sample of ${sample[1]} among those of ${name}`);
    const key = `${name}${sample[2] ?? ''}`;
    const { samples } = families.get(name)!;
    if (samples.has(key)) throw new Error(`${key} comes twice`);
    samples.set(key, Number(sample[3]));
  }
  for (const [family, { samples }] of families) if (samples.size === 0) throw new Error(`${family} has no sample`);
  return families;
}
