'use strict'

const { existsSync, readdirSync } = require('node:fs')
const { join } = require('node:path')

/** What a build for this machine is called: linux-x64-gnu, darwin-arm64, … */
function platform() {
  const { platform, arch } = process
  if (platform === 'win32') return `${platform}-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  const isMusl = !process.report?.getReport().header.glibcVersionRuntime
  return `${platform}-${arch}-${isMusl ? 'musl' : 'gnu'}`
}

/** The native part: built here, or brought by the package of this platform. */
function load() {
  const name = platform()
  const built = join(__dirname, '..', `libhotrod.${name}.node`)
  if (existsSync(built)) return require(built)
  try {
    return require(`@libhotrod/${name}`)
  } catch (error) {
    const present = readdirSync(join(__dirname, '..')).filter((file) => file.endsWith('.node'))
    throw new Error(
      `libhotrod has no native part for ${name}` +
        (present.length > 0 ? ` (only ${present.join(', ')})` : '') +
        ': run `npm rebuild libhotrod` where cargo is installed',
      { cause: error },
    )
  }
}

module.exports = { load, platform }
