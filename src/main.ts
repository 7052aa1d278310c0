import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { instanceName } from './config/config.ts';
import { describeConfig } from './config/describe.ts';
import { formatProblems } from './config/diagnostics.ts';
import { loadConfig } from './config/load.ts';
import { changeToSafeDirectory, restrictProcess } from './permissions/sandbox.ts';
import { protectConsoleFile } from './telemetry/stateFiles.ts';
import { VERSION } from './version.ts';

const HELP = `claude-code-proxy ${VERSION}: runs Claude Code on any model provider

  claude-code-proxy --env FILE            start the instance that the env file describes
  claude-code-proxy --env FILE --share    the same; other processes with this file may serve the same port (Linux)
  claude-code-proxy --env FILE --check    validate the file and print its problems or its settings, keys masked
  claude-code-proxy --env FILE --health   exit with 0 when its instance serves, with 1 and the reason when not
  claude-code-proxy --version
  claude-code-proxy --help

Exit status: 0 stopped as asked, 1 failed, 2 usage, 78 configuration or port.
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** EX_CONFIG: the process manager does not start the instance again, as it would only fail again. */
const EXIT_CONFIGURATION = 78;

function exitWithUsage(message: string): never {
  process.stderr.write(`claude-code-proxy: ${message}\n${HELP}`);
  process.exit(EXIT_USAGE);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        env: { type: 'string' },
        share: { type: 'boolean' },
        check: { type: 'boolean' },
        health: { type: 'boolean' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return exitWithUsage((error as Error).message);
  }
}

const values = readArguments();
if (values.help === true) {
  process.stdout.write(HELP);
} else if (values.version === true) {
  process.stdout.write(`${VERSION}\n`);
} else if (values.env === undefined || values.env === '') {
  exitWithUsage('--env FILE is missing');
} else if (values.health === true) {
  const instance = instanceName(values.env);
  const { address, problems } = loadConfig(values.env, process.env, process.cwd());
  if (address === undefined) {
    process.stderr.write(`${formatProblems(problems)}\n`);
    process.exitCode = EXIT_FAILED;
  } else {
    import('./healthProbe.ts')
      .then(({ probeHealth }) => probeHealth(instance, address))
      .then((reason) => {
        if (reason !== undefined) process.stderr.write(`claude-code-proxy: ${reason}\n`);
        process.exitCode = reason === undefined ? 0 : EXIT_FAILED;
      });
  }
} else {
  const file = values.env;
  const directory = process.cwd();
  const load = () => loadConfig(file, process.env, directory);
  const result = load();
  const { config, problems } = result;
  const consolePath = process.env['pm_out_log_path'];
  if (consolePath !== undefined)
    protectConsoleFile(consolePath, config && join(config.logs.directory, config.instance));
  const isRestricted = config?.permissionModel === 'on' && values.check !== true;
  const refusal = isRestricted ? restrictProcess(config, consolePath, process.env) : undefined;
  if (problems.length > 0) process.stderr.write(`${formatProblems(problems)}\n`);
  if (config === undefined) {
    process.exitCode = EXIT_CONFIGURATION;
  } else if (refusal !== undefined) {
    process.stderr.write(`claude-code-proxy: ${refusal}\n`);
    process.exitCode = EXIT_CONFIGURATION;
  } else if (values.check === true) {
    process.stdout.write(`${describeConfig(config, Date.now()).join('\n')}\n`);
  } else {
    changeToSafeDirectory();
    const started = { ...result, config };
    const sharesPort = values.share === true;
    // Loaded here, as a process that executes itself again needs nothing of it.
    import('./instance.ts')
      .then(({ runInstance }) => runInstance({ started, load, consolePath, sharesPort }))
      .then((code) => process.exit(code));
  }
}
