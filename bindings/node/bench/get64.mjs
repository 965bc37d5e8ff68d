#!/usr/bin/env node
// GETs of 64-byte values, so many at a time, on one client: one line of JSON.

import { parseArgs } from 'node:util'

import { connect } from '../lib/index.mjs'
import { measure } from './measure.mjs'

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '11222' },
    cache: { type: 'string', default: 'bench' },
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    'warmup-seconds': { type: 'string', default: '1' },
    'value-size': { type: 'string', default: '64' },
  },
})
const client = await connect(`hotrod://${options.host}:${options.port}/${options.cache}`)
const cache = client.cache()
const keys = Array.from({ length: 1000 }, (_, number) => Buffer.from(`key-${number}`))
await cache.putAll(keys.map((key) => [key, Buffer.alloc(Number(options['value-size']))]))
await measure(options, (turn) => cache.get(keys[turn % keys.length]))
await client.close()
