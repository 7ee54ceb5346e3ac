import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completionScript } from './completion.ts';
import { buildProgram, type CommandModules } from './program.ts';

const program = buildProgram('0.0.0', {} as CommandModules);
const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

/** What bash offers for a command line whose last word is being typed. */
function bashOffers(...words: readonly string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _shoal
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '');
}

describe('completion scripts', () => {
  it.each(['bash', 'zsh', 'fish'] as const)('name every command and option for %s', (shell) => {
    const script = completionScript(program, shell);
    for (const command of program.commands) {
      expect(script).toContain(command.name());
      for (const option of command.options) expect(script).toContain(option.long!.replace(/^--/, ''));
    }
  });

  it.runIf(has('bash'))('make bash offer commands, options and choices', () => {
    expect(bashOffers('shoal', 'in')).toEqual(['inspect']);
    expect(bashOffers('shoal', 'create', '--pie')).toEqual(['--piece-length']);
    expect(bashOffers('shoal', 'create', '--meta', 'h')).toEqual(['hybrid']);
    expect(bashOffers('shoal', 'completion', 'f')).toEqual(['fish']);
    expect(bashOffers('shoal', 'get', '--max-upload', '')).toEqual([]);
    expect(bashOffers('shoal', 'inspect', '/et')).toEqual(['/etc']);
    expect(bashOffers('shoal', 'tracker', '--metrics', 'l')).toEqual(['local']);
    expect(bashOffers('shoal', 'tracker', '--config', '/et')).toEqual(['/etc']);
    expect(bashOffers('shoal', 'us')).toEqual([]);
    expect(bashOffers('shoal', 'tracker', 'us')).toEqual(['user']);
    expect(bashOffers('shoal', 'tracker', 'user', 're')).toEqual(['remove', 'reset']);
    expect(bashOffers('shoal', 'tracker', 'token', 'add', '--ro')).toEqual(['--role']);
  });

  it.runIf(has('zsh'))('are good zsh', () => {
    expect(spawnSync('zsh', ['-n', '-c', completionScript(program, 'zsh')]).status).toBe(0);
  });

  it.runIf(has('fish'))('are good fish', () => {
    expect(spawnSync('fish', ['-n', '-c', completionScript(program, 'fish')]).status).toBe(0);
  });
});

describe('the tree of commands', () => {
  it('has examples and JSON in the help of every command', () => {
    for (const command of program.commands) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(help).toContain(`Examples:\n  `);
      expect(help).toContain(`shoal ${command.name()}`);
      if (command.name() !== 'completion') expect(help).toContain('--json');
    }
  });
});
