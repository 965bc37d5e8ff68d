'use strict'

// Creates the package of one platform in npm/: platform-package.js linux-x64-gnu linux x64

const { copyFileSync, mkdirSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const { version, license, repository, engines } = require('../package.json')

const [platform, os, cpu] = process.argv.slice(2)
if (!cpu) {
  console.error('usage: platform-package.js PLATFORM OS CPU, such as linux-x64-gnu linux x64')
  process.exit(2)
}
const root = join(__dirname, '..')
const folder = join(root, 'npm', platform)
const main = `libhotrod.${platform}.node`
const libc = { gnu: ['glibc'], musl: ['musl'] }[platform.split('-')[2]]
mkdirSync(folder, { recursive: true })
copyFileSync(join(root, main), join(folder, main))
const description = `The native part of libhotrod for ${platform}`
const manifest = { name: `@libhotrod/${platform}`, version, description, license, repository, engines, main, os: [os], cpu: [cpu], libc, files: [main] }
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
