'use strict'

// Builds the native part, unless this platform's package has it with the released hash. Cargo downloads only what Cargo.lock
// pins.

const { spawnSync } = require('node:child_process')
const { copyFileSync, existsSync } = require('node:fs')
const { join } = require('node:path')

const { built, pinned } = require('../lib/native.js')

const root = join(__dirname, '..')
const LIBRARIES = { linux: 'libhotrod_node.so', darwin: 'libhotrod_node.dylib', win32: 'hotrod_node.dll' }

function build() {
  // A checkout builds the workspace; a package from the registry contains the sources.
  const sources = existsSync(join(root, 'native')) ? join(root, 'native') : root
  const format = ['--message-format', 'json-render-diagnostics']
  const command = ['build', '--locked', '--release', '--package', 'hotrod-node', ...format]
  const options = { cwd: sources, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28, encoding: 'utf8' }
  const result = spawnSync('cargo', command, options)
  if (result.error) throw new Error(`libhotrod is built by cargo (rustup.rs): ${result.error.message}`)
  if (result.status !== 0) throw new Error('cargo could not build the native part')
  const files = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => JSON.parse(line).filenames ?? [])
  const library = files.find((file) => file.endsWith(LIBRARIES[process.platform]))
  copyFileSync(library, built())
}

try {
  if (process.argv.includes('--force') || pinned() === null) build()
} catch (error) {
  console.error(`libhotrod: ${error.message}`)
  process.exit(1)
}
