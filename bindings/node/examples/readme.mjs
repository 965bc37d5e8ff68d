// The program of the README.

import { connect } from 'libhotrod'

const client = await connect(process.argv[2] ?? 'hotrod://127.0.0.1:11222')
const cache = client.cache('dist')
await cache.put('greeting', 'hello')
const entry = await cache.getWithMetadata('greeting')
if (entry) console.log(await cache.replaceIfUnmodified('greeting', entry.version, 'hello, world'))
await client.close()
