#!/usr/bin/env node
// Measures the native border without sockets: nanoseconds per call and per output. Prints one line of JSON.

import { readFileSync } from 'node:fs'

import { Machine } from '../lib/index.mjs'

const BATCH = 500
const ROUNDS = 400
const scenarios = new URL('../../../tests/conformance/scenarios/operations.json', import.meta.url)
const [scenario] = JSON.parse(readFileSync(scenarios, 'utf8'))

/** Creates a machine with a session by replaying the first steps of a recorded scenario. */
const machine = new Machine(scenario.uri, { seed: Buffer.from(scenario.seed, 'hex') })
let [cache, link] = [0, 0]
for (const { at: microseconds, call, with: params } of scenario.steps) {
  const at = microseconds / 1000
  if (call === 'submit') break
  if (call === 'cache') cache = machine.cache(at, params.name)
  else if (call === 'start') machine.start(at, params.cache)
  else if (call === 'connected') machine.connected(at, link)
  else machine.received(at, link, Buffer.from(params.bytes, 'hex'))
  for (const output of machine.poll()) if (output.type === 'Connect') link = output.link
  while (machine.transmit(link) !== null);
}

const key = Buffer.from('key')
const value = Buffer.alloc(64)
const spent = { submit: 0n, received: 0n, output: 0n }
const timed = (name, work) => {
  const began = process.hrtime.bigint()
  const result = work()
  spent[name] += process.hrtime.bigint() - began
  return result
}
for (let round = 0; round < ROUNDS; round += 1) {
  timed('submit', () => {
    for (let number = 0; number < BATCH; number += 1) machine.submit(1000, cache, 'get', [key])
  })
  machine.poll()
  const sent = machine.transmit(link)
  const replies = []
  // Message ids are varints (7 bits per byte); every request ends with the same key.
  for (let at = 0; at < sent.length; at = sent.indexOf(key, at) + key.length) {
    let end = at + 1
    while (sent[end] & 0x80) end += 1
    replies.push(Buffer.from([0xa1]), sent.subarray(at + 1, end + 1), Buffer.from([4, 0, 0, value.length]), value)
  }
  const data = Buffer.concat(replies)
  timed('received', () => machine.received(1000, link, data))
  const outputs = timed('output', () => machine.poll())
  if (outputs.length !== BATCH || !outputs[0].answer.equals(value)) throw new Error(`${outputs.length} outputs`)
}
const began = process.hrtime.bigint()
for (let number = 0; number < 1_000_000; number += 1) machine.wantsRead(link)
const call = Number(process.hrtime.bigint() - began) / 1_000_000
const each = (name) => Number(spent[name]) / (BATCH * ROUNDS)
console.log(JSON.stringify({ call_ns: call, submit_ns: each('submit'), received_ns: each('received'), output_ns: each('output') }))
