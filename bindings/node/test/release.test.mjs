// The package that a release publishes: what it loads, and what it refuses.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const { built, platform } = require('../lib/native.js')
const root = fileURLToPath(new URL('..', import.meta.url))
const name = platform()

/** The packages as an installation has them, with the native part that was built here as this platform's. */
function installation(t) {
  const folder = mkdtempSync(join(tmpdir(), 'libhotrod-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [packages, modules] = [join(folder, 'npm'), join(folder, 'node_modules')]
  mkdirSync(join(packages, name), { recursive: true })
  const { version } = require('../package.json')
  const main = `libhotrod.${name}.node`
  cpSync(built(), join(packages, name, main))
  writeFileSync(join(packages, name, 'package.json'), JSON.stringify({ name: `@libhotrod/${name}`, version, main }))
  execFileSync(process.execPath, [join(root, 'scripts/release.js'), join(modules, 'libhotrod'), packages], { stdio: 'pipe' })
  cpSync(join(packages, name), join(modules, '@libhotrod', name), { recursive: true })
  const native = join(modules, '@libhotrod', name, main)
  // Without cargo nothing can be built.
  const run = (...args) => spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: '' } })
  const use = () => run('--eval', "new (require('libhotrod').Machine)('hotrod://127.0.0.1'); console.log('loaded')")
  const install = () => run(join(modules, 'libhotrod/scripts/install.js'))
  return { released: join(modules, 'libhotrod'), native, use, install }
}

test('what is published asks for the packages of this version, and has their hashes', (t) => {
  const { released, use, install } = installation(t)
  const manifest = JSON.parse(readFileSync(join(released, 'package.json'), 'utf8'))
  assert.deepEqual(manifest.optionalDependencies, { [`@libhotrod/${name}`]: manifest.version })
  assert.deepEqual(manifest.scripts, { install: 'node scripts/install.js' })
  assert.ok(!('private' in manifest) && !('devDependencies' in manifest))
  assert.equal(install().status, 0)
  assert.equal(use().stdout, 'loaded\n')
  const command = ['metadata', '--locked', '--offline', '--format-version=1', '--no-deps']
  execFileSync('cargo', command, { cwd: join(released, 'native'), stdio: 'pipe' })
  execFileSync('cargo', ['tree', '--locked', '--offline'], { cwd: join(released, 'native'), stdio: 'pipe' })
})

test('a native part of another content is neither loaded nor installed', (t) => {
  const { native, use, install } = installation(t)
  appendFileSync(native, 'x')
  for (const { status, stdout, stderr } of [use(), install()]) {
    assert.notEqual(status, 0)
    assert.match(stderr, /is not the file that this version of libhotrod was released with/)
    assert.equal(stdout, '')
  }
})

test('without a package of this platform it is built, by cargo', (t) => {
  const { native, install } = installation(t)
  rmSync(native)
  const { status, stderr } = install()
  assert.equal(status, 1)
  assert.match(stderr, /built by cargo/)
})

test('the tree asks no registry, and loads nothing from one', () => {
  const manifest = require('../package.json')
  assert.equal(manifest.private, true)
  assert.equal(manifest.optionalDependencies, undefined)
  assert.deepEqual(require('../lib/pins.js'), {})
})
