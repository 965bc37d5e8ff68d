#!/usr/bin/env node
// Measures GETs of 64-byte values on one client. Prints one line of JSON.

import { connect } from '../lib/index.mjs'
import { measure, parse } from './measure.mjs'

const options = parse()
const client = await connect(`hotrod://${options.host}:${options.port}/${options.cache}`)
const cache = client.cache()
const keys = Array.from({ length: 1000 }, (_, number) => Buffer.from(`key-${number}`))
await cache.putAll(keys.map((key) => [key, Buffer.alloc(Number(options['value-size']))]))
await measure(options, (turn) => cache.get(keys[turn % keys.length]))
await client.close()
