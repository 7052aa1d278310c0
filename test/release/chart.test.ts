import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { run } from '../cli/temporaryProject.ts';
import { problemsOf } from '../helpers/configText.ts';
import { CHART, type ChartTools, installChartTools, type Manifest, only } from './helm.ts';

/** The chart of deploy/chart: what it makes, and what it refuses. */

const root = resolve(import.meta.dirname, '..', '..');
const TOKEN = 'c0ffee'.repeat(6);
const demo = { env: 'PROVIDER=demo\n', token: TOKEN };
const existing = { existingEnvSecret: 'my-env', existingTokenSecret: 'my-tokens' };

/** Values that differ in what templates decide by. */
const matrix: Record<string, object> = {
  'one instance': { instances: { demo } },
  'Secrets of one’s own': { instances: { demo: { ...existing, hasClientTokens: true } } },
  'several instances': {
    instances: { demo, other: { ...demo, port: 9090, files: { 'models.yaml': 'models: []\n' } } },
  },
  'a fixed number of pods': { instances: { demo: { ...demo, autoscaling: { enabled: false }, replicas: 3 } } },
  'scaled by requests under way': { instances: { demo: { ...demo, autoscaling: { inFlight: 50, maxReplicas: 20 } } } },
  'clients, Prometheus and a long drain': {
    instances: {
      demo: {
        ...demo,
        ...{ clientTokens: 'clients: []\n', drainSeconds: 3600, pauseSeconds: 30 },
        podMonitor: { enabled: true, labels: { release: 'prometheus' } },
      },
    },
  },
  'everything that is optional': {
    image: { repository: 'registry.example/proxy', digest: `sha256:${'a'.repeat(64)}` },
    imagePullSecrets: [{ name: 'pull' }],
    defaults: {
      podAnnotations: { note: '1' },
      podLabels: { team: 'a' },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'spot', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'high',
      pauseSeconds: 0,
      extraEnv: [{ name: 'LOG_LEVEL', value: 'debug' }],
      service: { type: 'LoadBalancer', annotations: { a: 'b' } },
      networkPolicy: {
        from: [{ namespaceSelector: { matchLabels: { a: 'b' } } }],
        egress: [{ to: [{ podSelector: {} }] }],
      },
    },
    instances: { demo },
  },
  'no NetworkPolicy': { instances: { demo: { ...demo, networkPolicy: { enabled: false } } } },
};

let tools: ChartTools;
let obstacle = '';

beforeAll(async () => {
  const installed = await installChartTools();
  if (typeof installed === 'string') obstacle = installed;
  else tools = installed;
  if (obstacle !== '') console.info(`skipped: ${obstacle}`);
});

const check = (name: string, body: (context: TestContext) => Promise<void>) =>
  test(name, async (context) => {
    if (obstacle !== '') context.skip(obstacle);
    await body(context);
  });

const podOf = (manifests: readonly Manifest[]) => only(manifests, 'Deployment').spec.template.spec;
const containerOf = (manifests: readonly Manifest[]) => podOf(manifests).containers[0];

/** The variables of a container that have a fixed value. */
const variablesOf = (manifests: readonly Manifest[]): Record<string, string> =>
  Object.fromEntries(
    containerOf(manifests).env.map(({ name, value }: Record<'name' | 'value', string>) => [name, value]),
  );

describe.each(Object.entries(matrix))('%s', (_name, values) => {
  check('passes helm lint', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ccp-values-'));
    await writeFile(join(folder, 'values.json'), JSON.stringify(values));
    const { code, stdout, stderr } = await tools.helm('lint', CHART, '--strict', '-f', join(folder, 'values.json'));
    await rm(folder, { recursive: true });
    expect(code, stdout + stderr).toBe(0);
  });

  check('has the objects of each instance, which find each other', async () => {
    const manifests = await tools.render(values);
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
    for (const { metadata, spec } of deployments) {
      const own = manifests.filter(({ metadata: { name } }) => name === metadata.name);
      const labels = spec.template.metadata.labels;
      expect(labels).toMatchObject(spec.selector.matchLabels);
      for (const { kind, spec: other } of own) {
        const selector = { Service: other?.selector, NetworkPolicy: other?.podSelector?.matchLabels }[kind];
        expect(labels).toMatchObject(selector ?? other?.selector?.matchLabels ?? {});
      }
      expect(own.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Service', 'PodDisruptionBudget']));
      const isScaled = own.some(({ kind }) => kind === 'HorizontalPodAutoscaler');
      expect(isScaled).toBe(spec.replicas === undefined);
    }
    expect(new Set(manifests.map(({ kind, metadata: { name } }) => `${kind} ${name}`)).size).toBe(manifests.length);
  });

  check('is longer in ending than pause and drain, writes only where it may, and has no right', async () => {
    for (const { spec } of (await tools.render(values)).filter(({ kind }) => kind === 'Deployment')) {
      const pod = spec.template.spec;
      const [container] = pod.containers;
      const drain = Number(container.env.find(({ name }: { name: string }) => name === 'DRAIN_SECONDS').value);
      const pause = container.lifecycle?.preStop.sleep.seconds ?? 0;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pause + drain + 5);
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532 },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(JSON.stringify(pod)).not.toContain('subPath');
      for (const { secret, emptyDir } of pod.volumes)
        expect(secret?.defaultMode === 0o440 || emptyDir?.sizeLimit !== undefined).toBe(true);
    }
  });
});

describe('what it refuses', () => {
  const refused: [string, object, RegExp][] = [
    ['an instance without a token', { instances: { demo: { env: 'PROVIDER=demo' } } }, /instances\.demo has no token/],
    [
      'a token that could be guessed',
      { instances: { demo: { ...demo, token: 'secret' } } },
      /'\/instances\/demo\/token'/,
    ],
    ['an instance without an env file', { instances: { demo: { token: TOKEN } } }, /instances\.demo has no env file/],
    ['two env files', { instances: { demo: { ...demo, existingEnvSecret: 'a' } } }, /has env and existingEnvSecret/],
    ['two tokens', { instances: { demo: { ...demo, existingTokenSecret: 'a' } } }, /has existingTokenSecret beside/],
    ['no instance', {}, /there is no instance/],
    ['a misspelt value', { instances: { demo: { ...demo, drainSecond: 3 } } }, /'drainSecond' not allowed/],
    ['a misspelt value of all', { defaults: { replica: 3 }, instances: { demo } }, /'replica' not allowed/],
    [
      'fewer pods at most than at least',
      { instances: { demo: { ...demo, autoscaling: { minReplicas: 9 } } } },
      /minReplicas is above maxReplicas/,
    ],
    ['a name that no object can have', { instances: { Demo_1: demo } }, /Demo_1/],
  ];
  for (const [name, values, message] of refused)
    check(name, async () => {
      await expect(tools.render(values)).rejects.toThrow(message);
    });
});

check('a token stands in its own Secret and nowhere else', async () => {
  const manifests = await tools.render({ instances: { demo: { ...demo, clientTokens: 'clients: []\n' } } });
  const holders = manifests.filter((manifest) => JSON.stringify(manifest).includes(TOKEN));
  expect(holders.map(({ metadata }) => metadata.name)).toEqual(['team-demo-tokens']);
  expect(holders[0]?.stringData).toEqual({ token: TOKEN, 'clients.yaml': 'clients: []\n' });
});

check('with Secrets of one’s own it makes none, and mounts these', async () => {
  const manifests = await tools.render(matrix['Secrets of one’s own']);
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  const { volumes } = podOf(manifests);
  expect(volumes.slice(0, 2)).toMatchObject([
    { secret: { secretName: 'my-env' } },
    { secret: { secretName: 'my-tokens' } },
  ]);
  expect(variablesOf(manifests)['CLIENT_TOKENS_FILE']).toBe('/tokens/clients.yaml');
});

check('the variables of the container are settings, and go before those of the env file', async () => {
  const variables = variablesOf(await tools.render({ instances: { demo: { ...demo, clientTokens: 'clients: []' } } }));
  const { CLAUDE_PROXY_AUTH_KEY_FILE: token, CLIENT_TOKENS_FILE: clients, ...others } = variables;
  expect([token, clients]).toEqual(['/tokens/token', '/tokens/clients.yaml']);
  const lines = [
    'PROVIDER=demo',
    `ANTHROPIC_API_KEY=${TOKEN}`,
    ...Object.entries(others).map((pair) => pair.join('=')),
  ];
  expect(problemsOf(lines)).toEqual([]);
});

check('no pod reaches an address at which a cloud gives out credentials, but names are resolved', async () => {
  const { egress } = only(await tools.render({ instances: { demo } }), 'NetworkPolicy').spec;
  const [names, all] = egress;
  expect(names.ports.map(({ port }: { port: number }) => port)).toEqual([53, 53]);
  const blocked = all.to.flatMap(({ ipBlock }: { ipBlock: { except: string[] } }) => ipBlock.except);
  expect(blocked).toEqual(expect.arrayContaining(['169.254.0.0/16', '100.100.100.200/32', 'fd00:ec2::/32']));
  expect(egress).toHaveLength(2);
});

check('requests under way count beside the processor only where that is set', async () => {
  const metricsOf = async (name: string) =>
    only(await tools.render(matrix[name]), 'HorizontalPodAutoscaler').spec.metrics.map(
      ({ type }: { type: string }) => type,
    );
  expect(await metricsOf('one instance')).toEqual(['Resource']);
  expect(await metricsOf('scaled by requests under way')).toEqual(['Resource', 'Pods']);
  const introspection = readFileSync(join(root, 'src', 'gateway', 'introspection.ts'), 'utf8');
  expect(introspection).toContain("gauge('requests_in_flight'");
});

/** From which module of the types a kind comes, as `apps/v1`. */
function moduleOf({ apiVersion, kind }: Manifest): string {
  if (kind === 'PodMonitor') return `@kubernetes-models/prometheus-operator/${apiVersion}`;
  return `kubernetes-models/${apiVersion}`;
}

/** Has the compiler read each manifest as a literal of its type, in which it finds any field that there is not; what it says. */
async function compile(manifests: readonly Manifest[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ccp-literals-'));
  try {
    await symlink(join(tools.types, 'node_modules'), join(folder, 'node_modules'));
    const lines = manifests.map(
      (manifest, index) =>
        `import type { I${manifest.kind} as Kind${index} } from '${moduleOf(manifest)}';\n` +
        `export const object${index}: Kind${index} = ${JSON.stringify(manifest, null, 2)};\n`,
    );
    await writeFile(join(folder, 'manifests.ts'), lines.join(''));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const options = {
      strict: true,
      noEmit: true,
      module: 'esnext',
      moduleResolution: 'bundler',
      target: 'es2024',
      types: [],
    };
    const config = { compilerOptions: { ...options, skipLibCheck: true }, files: ['manifests.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const compiler = join(root, 'node_modules', '.bin', 'tsc');
    return (await run(compiler, ['-p', folder], folder, process.env as Record<string, string>)).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

check('the chart and its image have the version of the project', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { stdout } = await tools.helm('show', 'chart', CHART);
  expect(stdout).toMatch(new RegExp(`^version: ${version}$`, 'm'));
  expect(containerOf(await tools.render({ instances: { demo } })).image).toBe(`claude-code-proxy:${version}`);
});

describe('as typed literals', () => {
  check('every manifest of every values is one', async () => {
    const all = await Promise.all(Object.values(matrix).map((values) => tools.render(values)));
    expect(new Set(all.flat().map(({ kind }) => kind))).toEqual(
      new Set([
        ...['Deployment', 'Service', 'Secret', 'HorizontalPodAutoscaler'],
        ...['PodDisruptionBudget', 'NetworkPolicy', 'PodMonitor'],
      ]),
    );
    expect(await compile(all.flat())).toBe('');
  });

  // Of each kind a field that is deep in it.
  const planted: [string, string, string][] = [
    ['Deployment', '"terminationGracePeriodSeconds"', '"terminationGraceSeconds"'],
    ['Deployment', '"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"'],
    ['Deployment', '"preStop"', '"prestop"'],
    ['Service', '"targetPort"', '"targetport"'],
    ['Secret', '"stringData"', '"stringdata"'],
    ['HorizontalPodAutoscaler', '"averageUtilization"', '"averageUtilisation"'],
    ['PodDisruptionBudget', '"maxUnavailable"', '"maxUnavailble"'],
    ['NetworkPolicy', '"except"', '"excepts"'],
    ['PodMonitor', '"credentials"', '"credential"'],
  ];
  check('a misspelling is found', async () => {
    const manifests = await tools.render(matrix['clients, Prometheus and a long drain']);
    const wrong = planted.map(([kind, right, misspelt]): Manifest => {
      const text = JSON.stringify(manifests.find((manifest) => manifest.kind === kind));
      expect(text).toContain(right);
      return JSON.parse(text.replace(right, misspelt));
    });
    const said = await compile(wrong);
    for (const [, , misspelt] of planted) expect(said).toContain(misspelt.slice(1, -1));
  });
});

check('the manifests for those without Helm are what the chart makes, and hold no secret', async () => {
  const words = ['template', 'claude-code', CHART, '-f', join(CHART, 'examples', 'plain.yaml')];
  const { code, stdout, stderr } = await tools.helm(...words);
  expect(code, stderr).toBe(0);
  expect(stdout).not.toMatch(/^kind: Secret$/m);
  const head = readFileSync(join(CHART, 'examples', 'plain.head'), 'utf8');
  const text = head + stdout.replaceAll(/^# Source: .*\n/gm, '');
  // `vitest run --config vitest.release.config.ts chart.test --update` writes it anew.
  await expect(text).toMatchFileSnapshot(join(root, 'deploy', 'kubernetes', 'claude-code-proxy.yaml'));
});
