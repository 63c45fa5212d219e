#!/usr/bin/env node
'use strict';
/** The command `uring-fs`: finds out which of its commands is wanted, and runs it. */

/** Each exports `run(args)`, which resolves with the exit status, or rejects with a UsageError. */
const COMMANDS = { bench: './cli/bench', doctor: './cli/doctor' };

const HELP = `Usage: uring-fs <command> [options]

Commands:
  doctor [PATH]      is io_uring in use here, and if not, why and what to do
  bench [DIR|FILE]   how fast uring-fs reads your files, beside fs/promises

Options:
  --help      this text; after a command, of that command
  --version   the version of the package
`;

async function main([command, ...args]) {
  if (command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (command === '--version' || command === '-v') {
    process.stdout.write(`${require('../package.json').version}\n`);
    return 0;
  }
  if (command === undefined || !Object.hasOwn(COMMANDS, command)) {
    const what = command === undefined ? 'no command' : `unknown command '${command}'`;
    process.stderr.write(`uring-fs: ${what}\n\n${HELP}`);
    return 2;
  }
  const { UsageError } = require('./cli/usage');
  try {
    return await require(COMMANDS[command]).run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(
      `uring-fs ${command}: ${error.message}\nTry 'uring-fs ${command} --help'.\n`,
    );
    return 2;
  }
}

// Whoever reads the output may have seen enough of it.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
