// A client for the rows of other languages: client.mjs URI MEMBERS KEYS.
//
// Says in a line of JSON what it covers, waits for a line, works, says how that went, and waits for the end of its input.

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../../bindings/node/lib/index.mjs'

const PATIENCE_MS = 15000
const [uri, members, keys] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]

async function waitForCoverage(client) {
  const began = Date.now()
  for (;;) {
    const coverage = client.coverage()
    const isFull = coverage.covered === members && coverage.members === members
    if (isFull || Date.now() - began > PATIENCE_MS) return coverage
    await sleep(1)
  }
}

async function work(cache, run) {
  const took = []
  for (let turn = 0; turn < 4; turn++) {
    for (let number = 0; number < keys; number++) {
      const [key, value] = [`${run} ${number}`, `value of ${run} ${number}`]
      const began = process.hrtime.bigint()
      const found = turn === 0 ? await cache.put(key, value) : await cache.get(key)
      took.push(Number(process.hrtime.bigint() - began) / 1000)
      if (turn > 0 && found?.toString() !== value) throw new Error(`${key} has ${found}`)
    }
  }
  return took.sort((one, other) => one - other)
}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const client = await connect(uri)
const coverage = members > 0 ? await waitForCoverage(client) : client.coverage()
say({ ...coverage, connects: Number(client.counters().connects) })
const took = await work(client.cache(), (await input.next()).value)
say({ p50_us: Math.floor(took[took.length >> 1]), p99_us: Math.floor(took[Math.floor(took.length * 0.99)]) })
await input.next()
await client.close()
