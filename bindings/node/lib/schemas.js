'use strict'

// Schemas of Protocol Buffers in the servers. Documented in index.d.ts.

const { readFile } = require('node:fs/promises')
const path = require('node:path')

const { fields, list, text } = require('./checks.js')
const { MisuseError, SchemaError } = require('./errors.js')

const CACHE = '___protobuf_metadata'
const ERRORS = '.errors'

/** The schemas of a cluster: files of Protocol Buffers by name. */
class Schemas {
  constructor(cache) {
    this._cache = cache
  }

  async register(schemas) {
    if (typeof schemas !== 'object' || schemas === null) throw new MisuseError("schemas: expected { 'name.proto': text }")
    const files = Object.entries(schemas)
    for (const [name, source] of files) {
      if (!name.endsWith('.proto')) throw new MisuseError(`schemas: the name of a schema ends with .proto, got ${JSON.stringify(name)}`)
      text(name, source)
    }
    const before = await this.errors()
    await this._cache.putAll(files)
    const after = Object.entries(await this.errors())
    const failed = after.filter(([name]) => Object.hasOwn(schemas, name) || !Object.hasOwn(before, name))
    if (failed.length > 0) throw schemaError(Object.fromEntries(failed))
  }

  async registerFiles(paths, options) {
    const { root } = fields('options', options, ['root'])
    const schemas = Object.create(null)
    for (const file of list('paths', paths)) {
      const name = nameOf(file, root)
      if (name in schemas) throw new MisuseError(`schemas: two files are named ${JSON.stringify(name)}; give their root`)
      schemas[name] = await readFile(file, 'utf8')
    }
    await this.register(schemas)
  }

  async get(name) {
    return this._cache.get(name)
  }

  async names() {
    return (await this._cache.bulkGetKeys()).filter((name) => name.endsWith('.proto')).sort()
  }

  async errors() {
    const names = ((await this._cache.get(ERRORS)) ?? '').split(/\s+/).filter((name) => name !== '')
    const reasons = await Promise.all(names.map((name) => this._cache.get(name + ERRORS)))
    return Object.fromEntries(names.map((name, index) => [name, reasons[index] ?? '']))
  }

  async remove(name) {
    return this._cache.remove(name)
  }
}

function nameOf(file, root) {
  if (root === undefined) return path.basename(file)
  const name = path.relative(root, file).split(path.sep).join('/')
  if (name === '..' || name.startsWith('../') || path.isAbsolute(name)) {
    throw new MisuseError(`schemas: ${JSON.stringify(file)} is not in root ${JSON.stringify(root)}`)
  }
  return name
}

function schemaError(errors) {
  const reasons = Object.entries(errors).map(([name, reason]) => `${name}: ${reason}`)
  const error = new SchemaError(`schemas have errors: ${reasons.join('; ')}`, { mayHaveBeenApplied: true })
  error.errors = errors
  return error
}

module.exports = { CACHE, Schemas }
