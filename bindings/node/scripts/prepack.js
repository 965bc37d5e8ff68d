'use strict'

// Puts the Rust sources into the package, so that it can be built where no platform's package fits.

const { cpSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const root = join(__dirname, '..')
const workspace = join(root, '../..')
const native = join(root, 'native')

rmSync(native, { recursive: true, force: true })
cpSync(join(workspace, 'core'), join(native, 'core'), { recursive: true, filter: (path) => !/core\/(tests|target)/.test(path) })
for (const part of ['src', 'Cargo.toml', 'build.rs']) cpSync(join(root, part), join(native, 'node', part), { recursive: true })
cpSync(join(workspace, 'Cargo.lock'), join(native, 'Cargo.lock'))
const manifest = readFileSync(join(workspace, 'Cargo.toml'), 'utf8')
writeFileSync(
  join(native, 'Cargo.toml'),
  manifest.replace(/^members = .*$/m, 'members = ["core", "node"]').replace(/^exclude = .*\n/m, ''),
)
