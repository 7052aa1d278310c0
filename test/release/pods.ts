import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { inject } from 'vitest';
import { freePort } from '../cli/temporaryProject.ts';
import { call } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import type { Manifest } from './helm.ts';
import { podman, succeed } from './images.ts';

/** Pods of a rendered Deployment, run by podman as a kubelet would, and a balancer before them. */

/** A Secret as it is mounted: each file a link into a folder that is replaced as a whole. */
export class MountedSecret {
  readonly path: string;
  readonly #group: number;
  #version = 0;

  constructor(path: string, group: number) {
    this.path = path;
    this.#group = group;
  }

  async write(files: Readonly<Record<string, string>>, mode: number): Promise<void> {
    this.#version += 1;
    const version = `..version${this.#version}`;
    await mkdir(join(this.path, version));
    await chmod(join(this.path, version), 0o755);
    for (const [name, text] of Object.entries(files)) {
      const file = join(this.path, version, name);
      await writeFile(file, text);
      await chmod(file, mode);
      await chown(file, 0, this.#group);
      if (this.#version === 1) await symlink(`..data/${name}`, join(this.path, name));
    }
    await symlink(version, join(this.path, '..new'));
    await rename(join(this.path, '..new'), join(this.path, '..data'));
    await rm(join(this.path, `..version${this.#version - 1}`), { recursive: true, force: true });
  }
}

/** What of a Deployment's pod a container is started with; all pods share its Secrets. */
export interface PodTemplate {
  readonly deployment: Manifest;
  readonly secrets: ReadonlyMap<string, MountedSecret>;
}

/** Mounts the Secrets that stand among the manifests. */
export async function makePodTemplate(deployment: Manifest, manifests: readonly Manifest[]): Promise<PodTemplate> {
  const { securityContext, volumes } = deployment.spec.template.spec;
  const secrets = new Map<string, MountedSecret>();
  for (const { name, secret } of volumes.filter((volume: { secret?: unknown }) => volume.secret !== undefined)) {
    const folder = await mkdtemp(join(inject('imageFolder'), 'secret-'));
    await chmod(folder, 0o755);
    const mounted = new MountedSecret(folder, securityContext.fsGroup);
    const held = manifests.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === secret.secretName);
    await mounted.write(held?.stringData ?? {}, secret.defaultMode);
    secrets.set(name, mounted);
  }
  return { deployment, secrets };
}

export interface Pod {
  readonly name: string;
  readonly port: number;
  readonly url: string;
}

let count = 0;

/** Starts a pod, and waits as its startupProbe and readinessProbe do. Only its port is its own, as all pods share this machine's network. */
export async function startPod({ deployment, secrets }: PodTemplate): Promise<Pod> {
  const spec = deployment.spec.template.spec;
  const [container] = spec.containers;
  const port = await freePort();
  count += 1;
  const pod = { name: `pod${count}`, port, url: `http://127.0.0.1:${port}` };
  const { runAsUser, runAsGroup } = spec.securityContext;
  const words = [
    '--network',
    'host',
    '--user',
    `${runAsUser}:${runAsGroup}`,
    '--group-add',
    `${spec.securityContext.fsGroup}`,
  ];
  words.push('--ulimit', 'nofile=1024:4096', '--ulimit', 'nproc=4096:4096');
  if (container.securityContext.readOnlyRootFilesystem) words.push('--read-only', '--read-only-tmpfs=false');
  if (!container.securityContext.allowPrivilegeEscalation) words.push('--security-opt', 'no-new-privileges');
  for (const capability of container.securityContext.capabilities.drop)
    words.push('--cap-drop', capability.toLowerCase());
  for (const { name, value } of container.env) words.push('--env', `${name}=${name === 'PORT' ? port : value}`);
  for (const { name, mountPath } of container.volumeMounts) {
    const secret = secrets.get(name);
    const { emptyDir } = spec.volumes.find((volume: { name: string }) => volume.name === name);
    const size = emptyDir?.sizeLimit.replace(/i$/, '').toLowerCase();
    if (secret === undefined) words.push('--tmpfs', `${mountPath}:mode=1777,size=${size}`);
    else words.push('-v', `${secret.path}:${mountPath}:ro`);
  }
  await succeed('run', '--detach', '--name', pod.name, ...words, 'instance', ...container.args);
  for (const { httpGet } of [container.startupProbe, container.livenessProbe, container.readinessProbe])
    await waitUntil(`${pod.name} answers ${httpGet.path} with 200`, async () => {
      const answer = await call(pod.url + httpGet.path).catch(() => undefined);
      return answer?.status === 200;
    });
  return pod;
}

/**
 * Ends a pod: its pause begins, then its process gets the signal, with what is left of the grace.
 * @param onPauseEnd called with the signal
 * @returns the exit status
 */
export async function endPod({ deployment }: PodTemplate, pod: Pod, onPauseEnd: () => void): Promise<number> {
  const { containers, terminationGracePeriodSeconds: grace } = deployment.spec.template.spec;
  const pause = containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
  await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  onPauseEnd();
  const { code } = await podman('stop', '--time', `${grace - pause}`, pod.name);
  if (code !== 0) throw new Error(`${pod.name} could not be stopped`);
  return Number(await succeed('inspect', '--format', '{{.State.ExitCode}}', pod.name));
}

export interface Balancer {
  readonly url: string;
  add(pod: Pod): void;
  remove(pod: Pod): void;
  /** How many connections lead to a pod. */
  connectionsTo(pod: Pod): number;
  close(): void;
}

/** Gives each connection to the next pod in turn, and never looks into one. */
export async function startBalancer(): Promise<Balancer> {
  let pods: Pod[] = [];
  let turn = 0;
  const open = new Map<Socket, Pod>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    turn += 1;
    const pod = pods[turn % pods.length];
    if (pod === undefined) return void client.destroy();
    const backend = connect({ port: pod.port, host: '127.0.0.1', allowHalfOpen: true });
    open.set(client, pod);
    client.on('close', () => open.delete(client));
    client.on('error', () => backend.destroy());
    backend.on('error', () => client.resetAndDestroy());
    client.pipe(backend).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (pod) => {
      pods = [...pods, pod];
    },
    remove: (pod) => {
      pods = pods.filter((other) => other !== pod);
    },
    connectionsTo: (pod) => [...open.values()].filter((other) => other === pod).length,
    close: () => {
      server.close();
      for (const socket of open.keys()) socket.destroy();
    },
  };
}
