'use strict'

// Creates the package to publish, in an empty folder: release.js FOLDER PACKAGES
//
// PACKAGES has a folder for each platform, created by platform-package.js. The tree's own package.json requests none of the
// project's names from a registry and is private; here it gets the platforms' packages as optionalDependencies of exactly this version, pins.js
// their hashes, and native/ the sources for every other platform, with the part of Cargo.lock that they need.

const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
const { join, resolve } = require('node:path')

const root = join(__dirname, '..')
const workspace = join(root, '../..')

/** Returns the platforms' packages with the hash of their only file. */
function platforms(packages, version) {
  return readdirSync(packages).sort().map((name) => {
    const manifest = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'))
    const file = `libhotrod.${name}.node`
    if (manifest.name !== `@libhotrod/${name}` || manifest.version !== version || manifest.main !== file || manifest.scripts) {
      throw new Error(`${name} is not the package of a platform of version ${version}`)
    }
    const hash = createHash('sha256').update(readFileSync(join(packages, name, file))).digest('hex')
    return { name, hash }
  })
}

function writeManifest(folder, manifest, parts) {
  const { private: _, devDependencies, scripts, ...rest } = manifest
  const optionalDependencies = Object.fromEntries(parts.map(({ name }) => [`@libhotrod/${name}`, manifest.version]))
  const published = { ...rest, scripts: { install: scripts.install }, optionalDependencies }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

function writePins(folder, parts) {
  const pins = Object.fromEntries(parts.map(({ name, hash }) => [name, hash]))
  const text = `'use strict'\n\n// Written by the release.\nmodule.exports = ${JSON.stringify(pins, null, 2)}\n`
  writeFileSync(join(folder, 'lib', 'pins.js'), text)
}

/** Splits a Cargo.lock into the text of each package. */
function locked(file) {
  return readFileSync(file, 'utf8').split('[[package]]\n').slice(1).map((each) => each.split('dependencies = [')[0].trim())
}

/** Copies the sources, with a Cargo.lock that is a subset of the workspace's. */
function writeSources(native) {
  cpSync(join(workspace, 'core'), join(native, 'core'), { recursive: true, filter: (path) => !/core\/(tests|target)/.test(path) })
  // Dev-dependencies name other crates of the workspace, which are not published here.
  const core = join(native, 'core', 'Cargo.toml')
  writeFileSync(core, readFileSync(core, 'utf8').replace(/^\[dev-dependencies\]\n(?:(?!\[).*\n)*/m, ''))
  for (const part of ['src', 'Cargo.toml', 'build.rs']) cpSync(join(root, part), join(native, 'node', part), { recursive: true })
  cpSync(join(workspace, 'Cargo.lock'), join(native, 'Cargo.lock'))
  const manifest = readFileSync(join(workspace, 'Cargo.toml'), 'utf8')
  const members = /^members = .*$/m
  writeFileSync(join(native, 'Cargo.toml'), manifest.replace(members, 'members = ["core", "node"]').replace(/^exclude = .*\n/m, ''))
  // Removes packages that only other members need, and changes no version.
  execFileSync('cargo', ['update', '--workspace', '--offline', '--quiet'], { cwd: native, stdio: 'inherit' })
  const known = new Set(locked(join(workspace, 'Cargo.lock')))
  const others = locked(join(native, 'Cargo.lock')).filter((each) => !known.has(each))
  if (others.length > 0) throw new Error(`Cargo.lock would have others than the workspace's:\n${others.join('\n')}`)
}

function main([folder, packages]) {
  if (!packages) {
    console.error('usage: release.js FOLDER PACKAGES')
    process.exit(2)
  }
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const parts = platforms(resolve(packages), manifest.version)
  if (parts.length === 0) throw new Error(`no package of a platform is in ${packages}`)
  mkdirSync(join(folder, 'scripts'), { recursive: true })
  for (const part of ['lib', 'types', 'README.md', 'scripts/install.js']) cpSync(join(root, part), join(folder, part), { recursive: true })
  cpSync(join(workspace, 'LICENSE'), join(folder, 'LICENSE'))
  writeSources(join(folder, 'native'))
  writeManifest(folder, manifest, parts)
  writePins(folder, parts)
}

main(process.argv.slice(2))
