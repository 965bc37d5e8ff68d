// The scenarios that every binding's machine must pass; their form is found in tests/conformance/README.md.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'

import { HotRodError, Machine } from '../lib/index.mjs'

const folder = new URL('../../../tests/conformance/', import.meta.url)
const json = (url) => JSON.parse(readFileSync(url, 'utf8'))
const vocabulary = json(new URL('../../spec/vocabulary.json', folder))
const operations = new Map(vocabulary.operations.map((operation) => [operation.name, operation]))
const shapes = new Map(vocabulary.outputs.map((shape) => [shape.name, shape]))
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const hex = (data) => data.toString('hex')
const unhex = (text) => Buffer.from(text, 'hex')

// The scenarios have microseconds.
const milliseconds = (span) => (span === undefined || span === null ? span : span / 1000)
const microseconds = (span) => (span === null ? null : Math.round(span * 1000))

let count = 0
for (const part of ['scenarios/', 'vectors/']) {
  for (const file of readdirSync(new URL(part, folder)).filter((file) => file.endsWith('.json'))) {
    for (const scenario of json(new URL(part + file, folder))) {
      count += 1
      test(`${file}: ${scenario.name}`, () => play(scenario))
    }
  }
}

test('there are scenarios', () => assert.ok(count > 50, `${count}`))

function play(scenario) {
  const begin = () => new Machine(scenario.uri, { seed: unhex(scenario.seed), now: 0 })
  if (scenario.error) {
    assert.throws(begin, (error) => {
      assert.deepEqual(failure(error), scenario.error)
      return true
    })
    return
  }
  const player = new Player(begin())
  scenario.steps.forEach((step, number) => {
    const { at, call, with: params, ...expected } = step
    assert.deepEqual(player.play(at, call, params ?? {}), expected, `step ${number}`)
  })
}

class Player {
  constructor(machine) {
    this.machine = machine
    this.ids = new Map()
    this.names = new Map()
    this.answerShapes = new Map()
  }

  play(at, call, params) {
    const done = {}
    try {
      const returned = this.call(at / 1000, call, params)
      if (returned !== undefined && returned !== null) done.returns = returned
    } catch (error) {
      if (!(error instanceof HotRodError)) throw error
      done.error = failure(error)
    }
    const outputs = this.poll()
    const transmit = {}
    for (const { type, link } of outputs) {
      if (type !== 'Transmit') continue
      transmit[link] ??= ''
      for (let data; (data = this.machine.transmit(this.ids.get(link))); ) transmit[link] += hex(data)
    }
    const more = this.poll()
    if (outputs.length > 0) done.outputs = outputs
    if (Object.keys(transmit).length > 0) done.transmit = transmit
    if (more.length > 0) done.more_outputs = more
    return { ...done, timeout: microseconds(this.machine.pollTimeout()) }
  }

  poll() {
    return this.machine.poll().map((output) => this.output(output))
  }

  output(output) {
    const result = { type: output.type }
    for (const field of shapes.get(output.type).fields) {
      result[field.name] = this.value(field, output[camel(field.name)])
    }
    if (output.type === 'Completed' && output.error === null) {
      const shape = this.answerShapes.get(output.id)
      result.answer = { [shape]: answers[shape](output.answer) }
    }
    return result
  }

  value({ kind, of }, value) {
    if (value === null || kind === 'answer') return null
    if (kind === 'id') return this.name(of, value)
    if (kind === 'opaque' || kind === 'signed') return String(value)
    if (kind === 'duration') return microseconds(value)
    if (kind === 'bytes') return hex(value)
    if (kind === 'tls') return tls(value)
    if (kind === 'failure') return failure(value)
    if (kind === 'entries') return value.map(iterated)
    return value
  }

  name(of, id) {
    const key = `${of} ${id}`
    if (!this.names.has(key)) {
      const known = [...this.names.keys()].filter((other) => other.startsWith(`${of} `)).length
      this.names.set(key, `$${of}${known + 1}`)
      this.ids.set(`$${of}${known + 1}`, id)
    }
    return this.names.get(key)
  }

  call(at, call, params) {
    const { machine } = this
    const id = (name) => this.ids.get(params[name])
    switch (call) {
      case 'cache': {
        const { name, flags, key_type: keyType, value_type: valueType, read_from_any_owner: readFromAnyOwner } = params
        const parameters = params.parameters.map(([name, data]) => [name, unhex(data)])
        return machine.cache(at, name, { flags, keyType, valueType, readFromAnyOwner, parameters })
      }
      case 'start':
        return machine.start(at, params.cache)
      case 'submit': {
        const operation = operations.get(params.operation)
        const args = operation.fields.map((field, index) => argument(field.argument, params.arguments[index]))
        const member = params.member ? id('member') : undefined
        const storageKeys = params.storage_keys?.map(unhex)
        const options = { member, timeout: milliseconds(params.timeout), storageKeys }
        const submitted = machine.submit(at, params.cache, params.operation, args, options)
        this.answerShapes.set(submitted, operation.answer)
        return this.name('operation', submitted)
      }
      case 'cancel':
        return machine.cancel(id('operation'))
      case 'listen': {
        const { filter, converter, interests, include_current_state: includeCurrentState, use_raw_data: useRawData } = params
        const options = { filter, converter, interests, includeCurrentState, useRawData }
        return this.name('listener', machine.listen(at, params.cache, options))
      }
      case 'listen_to_counter':
        return this.name('listener', machine.listenToCounter(at, params.cache, params.counter))
      case 'remove_listener':
        return machine.removeListener(at, id('listener'))
      case 'events_taken':
        return machine.eventsTaken(at, id('listener'), params.count)
      case 'iterate': {
        const { filter_converter: filterConverter, batch_size: batchSize, include_metadata: includeMetadata, timeout } = params
        const segments = params.segments ? unhex(params.segments) : undefined
        return this.name('iteration', machine.iterate(at, params.cache, { segments, filterConverter, batchSize, includeMetadata, timeout: milliseconds(timeout) }))
      }
      case 'next_entries':
        return machine.nextEntries(at, id('iteration'))
      case 'end_iteration':
        return machine.endIteration(at, id('iteration'))
      case 'near_cache': {
        const { max_entries: maxEntries, max_bytes: maxBytes, bloom_filter: bloomFilter } = params
        return machine.nearCache(at, params.cache, { maxEntries, maxBytes, bloomFilter })
      }
      case 'remove_near_cache':
        return machine.removeNearCache(at, params.cache)
      case 'switch_site':
        return machine.switchSite(at, params.name)
      case 'set_peer':
        return machine.setPeer(id('link'), params.address)
      case 'set_tls_exporter':
        return machine.setTlsExporter(id('link'), unhex(params.exported))
      case 'set_server_certificate':
        return machine.setServerCertificate(id('link'), unhex(params.certificate))
      case 'connected':
        return machine.connected(at, id('link'), params.alpn)
      case 'received':
        return machine.received(at, id('link'), unhex(params.bytes))
      case 'link_lost':
        return machine.linkLost(at, id('link'), params.why)
      case 'timeout':
        return machine.timeout(at)
      case 'close':
        return machine.close(at)
      default:
        throw new Error(`there is no call ${call}`)
    }
  }
}

const text = (number) => (number === null ? null : String(number))
const pair = ([key, value]) => [hex(key), hex(value)]

function failure(error) {
  const found = {
    kind: error.name.replace(/Error$/, ''),
    message: error.message,
    operation: error.operation,
    member: error.member,
    status: error.status,
    applied: error.mayHaveBeenApplied ? 'unknown' : 'no',
    attempts: error.attempts,
  }
  if (found.kind === 'Partial') {
    found.parts = error.parts.map(({ keys, error }) => ({ keys: keys.map(hex), error: failure(error) }))
    found.entries = error.entries.map(pair)
  }
  return found
}

const tls = ({ serverName, alpn, trustCa, clientCertificate }) => ({
  server_name: serverName, alpn, trust_ca: trustCa, client_certificate: clientCertificate,
})
const left = (lifetime) => lifetime && { since: lifetime.since, seconds: lifetime.duration / 1000 }
const metadata = (found) =>
  found && { version: String(found.version), lifespan: left(found.lifespan), max_idle: left(found.maxIdle) }
const iterated = ({ key, values, metadata: found }) => ({ key: hex(key), values: values.map(hex), metadata: metadata(found) })
const entry = (entry) =>
  entry && { value: hex(entry.value), version: text(entry.version), lifespan: left(entry.lifespan), max_idle: left(entry.maxIdle) }
const xid = ({ formatId, globalTransactionId, branchQualifier }) => ({
  format_id: formatId, global_transaction_id: hex(globalTransactionId), branch_qualifier: hex(branchQualifier),
})
const counter = (counter) =>
  counter && {
    kind: counter.kind, lower: text(counter.lower), upper: text(counter.upper), concurrency: counter.concurrency,
    persistent: counter.persistent, initial_value: String(counter.initialValue),
  }

const same = (answer) => answer
const answers = {
  nothing: () => true,
  flag: same,
  size: same,
  number: String,
  value: (answer) => answer && hex(answer),
  entry,
  conditional: ({ executed, previous }) => ({ executed, previous: entry(previous) }),
  versioned: same,
  entries: (answer) => answer.map(pair),
  values: (answer) => answer.map(hex),
  values_with_metadata: (answer) => answer && { metadata: metadata(answer.metadata), values: answer.values.map(hex) },
  names: same,
  text_map: same,
  server: ({ keyType, valueType, serverVersion, operations }) => ({
    key_type: keyType, value_type: valueType, server_version: serverVersion, operations,
  }),
  chunk: (chunk) =>
    chunk && {
      stream_id: chunk.streamId, complete: chunk.complete, metadata: metadata(chunk.metadata), chunk: hex(chunk.chunk),
    },
  xids: (answer) => answer.map(xid),
  counter,
}

function lifetime(value) {
  if (value === 'default') return null
  if (value === 'infinite') return Infinity
  return { count: BigInt(value.count), unit: value.unit }
}
const expiration = ({ lifespan, max_idle: maxIdle }) => ({ lifespan: lifetime(lifespan), maxIdle: lifetime(maxIdle) })

function argument(kind, value) {
  switch (kind) {
    case 'bytes':
      return unhex(value)
    case 'signed':
    case 'opaque':
      return BigInt(value)
    case 'expiration':
      return expiration(value)
    case 'byte_list':
      return value.map(unhex)
    case 'entries':
      return value.map(([key, data]) => [unhex(key), unhex(data)])
    case 'parameters':
      return value.map(([name, data]) => [name, unhex(data)])
    case 'xid':
      return {
        formatId: value.format_id,
        globalTransactionId: unhex(value.global_transaction_id),
        branchQualifier: unhex(value.branch_qualifier),
      }
    case 'modifications':
      return value.map(({ key, seen, change }) => ({
        key: unhex(key),
        seen: ['not_read', 'non_existing'].includes(seen) ? seen : BigInt(seen),
        value: change === 'remove' ? null : unhex(change.value),
        ...(change === 'remove' ? {} : expiration(change.expiration)),
      }))
    case 'counter': {
      const number = (name) => (value[name] === null ? null : BigInt(value[name]))
      const [lower, upper, initialValue] = ['lower', 'upper', 'initial_value'].map(number)
      const { kind, concurrency, persistent } = value
      return { kind, concurrency, persistent, lower, upper, initialValue }
    }
    default:
      return value
  }
}
