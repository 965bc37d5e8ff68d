#!/usr/bin/env node
// Writes what comes from spec/vocabulary.json: lib/outputs.js, lib/errors.js, lib/operations.js and types/generated.d.ts.
// `generate.mjs --check` writes nothing and fails if a file is stale.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const vocabulary = JSON.parse(readFileSync(here('../../spec/vocabulary.json'), 'utf8'))
const NOTICE = '// Written by generate.mjs from spec/vocabulary.json: change it there.\n'

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const doc = (text, indent = '') => `${indent}/** ${text.replaceAll('*/', '* /')} */`
const errorName = (failure) => `${failure.name}Error`

const TYPES = {
  id: 'number', number: 'number', duration: 'number', opaque: 'bigint', signed: 'bigint', flag: 'boolean',
  text: 'string', bytes: 'Buffer', tls: 'Tls', answer: 'Answer', failure: 'HotRodError',
  entries: 'IterationEntry<Buffer, Buffer>[]',
}

function outputs() {
  const shapes = vocabulary.outputs.map(({ tag, name, fields }) => {
    const values = fields.map((field, index) => {
      const value = `values[at + ${index + 1}]`
      return `${camel(field.name)}: ${field.kind === 'failure' ? `errorOf(${value})` : value}`
    })
    const object = [`type: '${name}'`, ...values].join(', ')
    return `  ${tag}: { length: ${fields.length + 1}, make: (values, at) => ({ ${object} }) },`
  })
  return `${NOTICE}'use strict'

const { errorOf } = require('./errors.js')

/** The shapes of outputs by their number at the border: how many values each takes, and how it is made of them. */
module.exports = {
${shapes.join('\n')}
}
`
}

function errors() {
  const classes = vocabulary.failures.map((failure) => `${doc(failure.doc)}
class ${errorName(failure)} extends HotRodError {}
`)
  const codes = vocabulary.failures.map((failure) => `  ${failure.code}: ${errorName(failure)},`)
  const statuses = vocabulary.statuses.map((status) => `  ${status.code}: '${status.text}',`)
  return `${NOTICE}'use strict'

/** The root of all errors of this package. Its message says which operation, which member, and what may have happened. */
class HotRodError extends Error {
  constructor(message, details = {}) {
    super(message)
    this.operation = details.operation ?? null
    this.member = details.member ?? null
    this.status = details.status ?? null
    this.statusText = STATUSES[this.status] ?? null
    this.mayHaveBeenApplied = details.mayHaveBeenApplied ?? false
    this.attempts = details.attempts ?? 0
    this.parts = (details.parts ?? []).map(({ keys, error }) => ({ keys, error: errorOf(error) }))
    this.entries = details.entries ?? []
  }

  get name() {
    return this.constructor.name
  }
}

${classes.join('\n')}
const ERRORS = {
${codes.join('\n')}
}

const STATUSES = {
${statuses.join('\n')}
}

/** The error of a failure; null of none. */
function errorOf(failure) {
  if (failure === null || failure === undefined) return null
  const Kind = ERRORS[failure.code] ?? HotRodError
  return new Kind(failure.message, failure)
}

module.exports = {
  HotRodError,
${vocabulary.failures.map((failure) => `  ${errorName(failure)},`).join('\n')}
  STATUSES,
  errorOf,
}
`
}

// What the classes do in a way of their own: streams stay with one member, entries and keys are maps and arrays.
const BY_HAND = new Set(['start_get_stream', 'next_get_stream', 'end_get_stream', 'start_put_stream', 'next_put_stream',
  'end_put_stream', 'get_stream', 'put_stream', 'put_all', 'get_all', 'bulk_get', 'bulk_get_keys'])

const PARAMETERS = {
  text: 'string', flag: 'boolean', number: 'number', signed: 'bigint | number', opaque: 'bigint', xid: 'Xid',
  modifications: 'Modification[]', counter: 'CounterConfiguration', parameters: 'Record<string, Uint8Array>',
  bytes: 'Uint8Array',
}

const RETURNS = {
  nothing: 'void', flag: 'boolean', size: 'number', number: 'bigint', entry: 'Entry<V> | null',
  conditional: 'Conditional<V>', versioned: 'Versioned', values: 'V[]', names: 'string[]', xids: 'Xid[]',
  values_with_metadata: 'ValuesWithMetadata<V> | null', text_map: 'Record<string, string>', server: 'ServerInfo',
  counter: 'CounterConfiguration | null',
}

const DECODED = {
  entry: '_entry', conditional: '_conditional', values: '_values', values_with_metadata: '_valuesWithMetadata',
  text_map: '_textMap',
}

/** What a method takes and gives, for JavaScript and for TypeScript. */
function method(operation) {
  const names = []
  const types = []
  const passed = []
  for (const { name, argument } of operation.fields) {
    const parameter = camel(name)
    if (argument === 'expiration') {
      passed.push(operation.group === 'cache' ? 'options' : '{}')
    } else if (operation.group === 'counter' && name === 'counter') {
      passed.push('this.name')
    } else if (name === 'supports_duplicates') {
      passed.push('this.supportsDuplicates')
    } else if (name === 'key' || (name === 'value' && argument === 'bytes')) {
      names.push(parameter)
      types.push(`${parameter}: ${name === 'key' ? 'K' : 'V'}`)
      passed.push(`this._${name}(${parameter})`)
    } else {
      const optional = argument === 'parameters'
      names.push(optional ? `${parameter} = {}` : parameter)
      types.push(`${parameter}${optional ? '?' : ''}: ${PARAMETERS[argument]}`)
      passed.push(optional ? `Object.entries(${parameter})` : parameter)
    }
  }
  const takesLifetimes = operation.group === 'cache' && operation.fields.some((field) => field.argument === 'expiration')
  names.push('options = {}')
  types.push(`options?: ${takesLifetimes ? 'CallOptions & Lifetimes' : 'CallOptions'}`)
  const isEntry = operation.answer === 'value' && operation.routed_by_key
  const decode = operation.answer === 'value' ? (isEntry ? '_found' : null) : DECODED[operation.answer]
  const returns = operation.answer === 'value' ? (isEntry ? 'V | null' : 'Buffer | null') : RETURNS[operation.answer]
  return { name: camel(operation.method), names, types, passed, decode, returns }
}

const GROUPS = [
  ['cache', 'CacheOperations', 'CacheBase', '<K, V>'],
  ['counter', 'CounterOperations', 'Base', ''],
  ['multimap', 'MultimapOperations', 'CacheBase', '<K, V>'],
]

const of = (group) =>
  vocabulary.operations.filter((operation) => operation.group === group && !BY_HAND.has(operation.name))

function operations() {
  const classes = GROUPS.map(([group, name, base]) => {
    const methods = of(group).map((operation) => {
      const { name: called, names, passed, decode } = method(operation)
      const call = `this._execute(OPCODES.${operation.name}, [${passed.join(', ')}], options)`
      // What is wrong with an argument is told by the promise, like everything else.
      const result = decode === undefined || decode === null ? `return ${call}` : `return this.${decode}(await ${call})`
      const body = operation.answer === 'nothing' ? `await ${call}` : result
      return `${doc(operation.doc, '  ')}
  async ${called}(${names.join(', ')}) {
    ${body}
  }
`
    })
    return `/** The operations of a ${group}, as the protocol has them. */
class ${name} extends ${base} {
${methods.join('\n')}}
`
  })
  return `${NOTICE}'use strict'

const { Base, CacheBase } = require('./base.js')
const { OPCODES } = require('./opcodes.js')

${classes.join('\n')}
module.exports = { CacheOperations, CounterOperations, MultimapOperations }
`
}

function opcodes() {
  const rows = vocabulary.operations.map((operation) => `  ${operation.name}: ${operation.opcode},`)
  return `${NOTICE}'use strict'

/** Operations by their name: the number that the machine takes. */
const OPCODES = {
${rows.join('\n')}
}

module.exports = { OPCODES }
`
}

function declarations() {
  const shapes = vocabulary.outputs.map(({ name, doc: text, fields }) => {
    const lines = fields.map((field) => {
      const type = field.kind === 'word' ? field.words.map((word) => `'${word}'`).join(' | ') : TYPES[field.kind]
      const unit = field.kind === 'duration' ? ' In microseconds.' : ''
      return `${doc(field.doc + unit, '  ')}\n  ${camel(field.name)}: ${type}${field.optional ? ' | null' : ''}`
    })
    return `${doc(text)}\nexport interface ${name}Output {\n  type: '${name}'\n${lines.join('\n')}${lines.length ? '\n' : ''}}\n`
  })
  const union = vocabulary.outputs.map(({ name }) => `  | ${name}Output`).join('\n')
  const classes = vocabulary.failures.map(
    (failure) => `${doc(failure.doc)}\nexport class ${errorName(failure)} extends HotRodError {}\n`)
  const groups = GROUPS.map(([group, name, base, generic]) => {
    const methods = of(group).map((operation) => {
      const { name: called, types, returns } = method(operation)
      return `${doc(operation.doc, '  ')}\n  ${called}(${types.join(', ')}): Promise<${returns}>`
    })
    const parent = base === 'CacheBase' ? '' : ''
    return `${doc(`The operations of a ${group}, as the protocol has them.`)}
export class ${name}${generic}${parent} {
${methods.join('\n')}
}
`
  })
  const counters = vocabulary.counters.map((counter) => `${doc(counter.doc, '  ')}\n  ${camel(counter.name)}: number`)
  const names = vocabulary.operations.map((operation) => `  | '${operation.name}'`).join('\n')
  const flags = vocabulary.flags.map((flag) => `${doc(flag.doc, '  ')}\n  ${flag.name}: ${flag.value}`)
  return `${NOTICE}
import type {
  Answer, CallOptions, Conditional, CounterConfiguration, Entry, HotRodError, IterationEntry, Lifetimes, Modification,
  ServerInfo, Tls, ValuesWithMetadata, Versioned, Xid,
} from './index.js'

${shapes.join('\n')}
/** What a machine tells its host. */
export type Output =
${union}

${classes.join('\n')}
/** The name of an operation. */
export type OperationName =
${names}

/** Flags of requests, to be added up. */
export const Flags: {
${flags.join('\n')}
}

/** What a client has done. */
export interface Counters {
${counters.join('\n')}
  /** A bound below which half of the operations stayed, in milliseconds; null before the first. */
  latencyP50: number | null
  /** A bound below which 99 of 100 stayed. */
  latencyP99: number | null
  /** A bound below which all stayed. */
  latencyMax: number | null
}

${groups.join('\n')}`
}

function constants() {
  const flags = vocabulary.flags.map((flag) => `  ${flag.name}: ${flag.value},`)
  const counters = vocabulary.counters.map((counter) => `  '${camel(counter.name)}',`)
  return `${NOTICE}'use strict'

/** Flags of requests. */
const Flags = Object.freeze({
${flags.join('\n')}
})

/** The names of the counts, in their order. */
const COUNTERS = [
${counters.join('\n')}
]

module.exports = { Flags, COUNTERS }
`
}

const FILES = {
  'lib/outputs.js': outputs,
  'lib/errors.js': errors,
  'lib/opcodes.js': opcodes,
  'lib/operations.js': operations,
  'lib/constants.js': constants,
  'types/generated.d.ts': declarations,
}

const stale = []
for (const [path, write] of Object.entries(FILES)) {
  const text = write()
  if (!process.argv.includes('--check')) {
    writeFileSync(here(path), text)
  } else if (readFileSync(here(path), 'utf8') !== text) {
    stale.push(path)
  }
}
if (stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}; run \`make generate\``)
  process.exit(1)
}
