import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { ShoalError } from '../base/errors.ts';
import { UsageError } from './args.ts';
import { failureOf } from './errors.ts';

describe('a failure', () => {
  it('is one line with its code', () => {
    const failure = failureOf(new ShoalError('DISK_FULL', 'the disk is full: make room'), 'get');
    expect(failure).toEqual({ line: 'shoal: DISK_FULL: the disk is full: make room', exitCode: 1 });
  });

  it('ends with 2 when the usage is wrong', () => {
    expect(failureOf(new UsageError("'x' is no size"), 'create').exitCode).toBe(2);
    const unknown = new CommanderError(
      1,
      'commander.unknownOption',
      "error: unknown option '--foo'\n(Did you mean --fob?)",
    );
    expect(failureOf(unknown, 'get')).toEqual({
      line: "shoal: USAGE: unknown option '--foo' (Did you mean --fob?); see 'shoal get --help'",
      exitCode: 2,
    });
  });

  it('is one clause, whatever the parser wrote', () => {
    const choices = new CommanderError(
      1,
      'commander.invalidArgument',
      'error: it is invalid. Allowed choices are a, b.',
    );
    expect(failureOf(choices, 'get').line).toBe(
      "shoal: USAGE: it is invalid. Allowed choices are a, b; see 'shoal get --help'",
    );
    const help = new CommanderError(1, 'commander.help', '(outputHelp)');
    expect(failureOf(help, '').line).toBe("shoal: USAGE: there is no such command; see 'shoal --help'");
  });

  it('is none when help or the version was asked for', () => {
    expect(failureOf(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), '')).toEqual({
      line: null,
      exitCode: 0,
    });
  });

  it('names what the system said', () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, write '/x'"), { code: 'ENOSPC' });
    expect(failureOf(error, 'get').line).toMatch(/^shoal: DISK_FULL: .*disk is full/);
  });

  it('is a bug when nobody named it, and still one line', () => {
    const failure = failureOf(new TypeError('x is not a function\n    at y'), 'get');
    expect(failure.line).toMatch(/^shoal: INTERNAL: a bug in Shoal: x is not a function; run again with SHOAL_DEBUG=1/);
    expect(failure.exitCode).toBe(1);
    expect(failureOf(undefined, '').line).toContain('INTERNAL');
  });

  it('cannot steer the terminal', () => {
    const failure = failureOf(new ShoalError('HTTP_FAILED', 'bad \u001b[31m name \u202e\r'), 'get');
    expect(failure.line).toBe('shoal: HTTP_FAILED: bad ?[31m name ??');
  });
});
