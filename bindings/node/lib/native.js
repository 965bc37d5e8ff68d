'use strict'

const { createHash } = require('node:crypto')
const { existsSync, readFileSync, readdirSync } = require('node:fs')
const { join } = require('node:path')

const PINS = require('./pins.js')

const root = join(__dirname, '..')

/** Returns this platform's name: linux-x64-gnu, darwin-arm64, … */
function platform() {
  const { platform, arch } = process
  if (platform === 'win32') return `${platform}-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  const isMusl = !process.report?.getReport().header.glibcVersionRuntime
  return `${platform}-${arch}-${isMusl ? 'musl' : 'gnu'}`
}

/** Returns the path of the native part that install.js builds. */
function built() {
  return join(root, `libhotrod.${platform()}.node`)
}

/** Returns the file of this platform's package, or null without one. Throws if its hash is not the released one. */
function pinned() {
  const name = platform()
  if (!Object.hasOwn(PINS, name)) return null
  let file
  try {
    file = require.resolve(`@libhotrod/${name}/libhotrod.${name}.node`)
  } catch {
    return null
  }
  if (createHash('sha256').update(readFileSync(file)).digest('hex') !== PINS[name]) {
    throw new Error(`${file} is not the file that this version of libhotrod was released with`)
  }
  return file
}

let loaded = null

/** Loads the native part, once: the local build, or the pinned one of this platform's package. */
function load() {
  loaded ??= loadFile()
  return loaded
}

function loadFile() {
  const file = existsSync(built()) ? built() : pinned()
  if (file !== null) return require(file)
  const present = readdirSync(root).filter((file) => file.endsWith('.node'))
  throw new Error(
    `libhotrod has no native part for ${platform()}` +
      (present.length > 0 ? ` (only ${present.join(', ')})` : '') +
      ': run `npm rebuild libhotrod` where cargo is installed',
  )
}

module.exports = { built, load, pinned, platform }
