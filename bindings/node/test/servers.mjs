// Servers that the tests use: the embedded node, and real Infinispan by the harness.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const target = process.env.CARGO_TARGET_DIR ?? `${root}target`

async function start(program, args) {
  const child = spawn(`${target}/debug/${program}`, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const announced = JSON.parse((await lines.next()).value)
  return { child, lines, announced }
}

/** Caches of embedded nodes that declare in which media types they store. */
const ENCODED = ['items:key-type=text/plain,value-type=application/json', 'json:media-type=application/json']

/** An embedded node of so many members; it ends with the test. */
export async function embedded(t, members = 1) {
  const { child, announced } = await start('hotrod-gateway', [
    ...['--embedded', '--members', `${members}`, '--listen', '127.0.0.1:0', '--json'],
    ...ENCODED.flatMap((cache) => ['--cache', cache]),
  ])
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.after(stop)
  const uri = (cache = 'dist', query = '') => `hotrod://${announced.members[0]}/${cache}${query}`
  return { addresses: announced.members, uri, stop }
}

/** A gateway before an embedded node, with TLS and without; both end with the test. */
export async function gateway(t) {
  const node = await embedded(t)
  const folder = mkdtempSync(join(tmpdir(), 'libhotrod-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name))
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-out', certificate, '-keyout', key],
  ], { stdio: 'ignore' })
  const { child, announced } = await start('hotrod-gateway', [
    ...['--json', '--listen', '127.0.0.1:0', '--upstream', node.addresses[0], '--node-name', 'node-0'],
    ...['--topology-cache', 'dist', '--tls-cert', certificate, '--tls-key', key, '--allow-plain'],
  ])
  t.after(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const uri = (scheme, properties) =>
    `${scheme}://${announced.listen}/dist?${properties}${scheme === 'hotrods' ? `&trust_ca=${certificate}` : ''}`
  return { uri }
}

/** Real servers; they end with the test. */
export async function real(t, ...args) {
  const { child, lines, announced } = await start('infinispan-harness', ['start', ...args])
  t.after(async () => {
    child.stdin.end()
    await once(child, 'exit')
  })
  const obey = async (command) => {
    child.stdin.write(`${command}\n`)
    await lines.next()
  }
  return { announced, obey, addresses: announced.endpoints.map(({ host, port }) => `${host}:${port}`) }
}
