// The program of the README.

import { connect } from 'libhotrod'

const client = await connect(process.argv[2] ?? 'hotrod://127.0.0.1:11222')
const cache = client.cache('dist')
await cache.put('greeting', 'hello')
const { version } = await cache.getWithMetadata('greeting')
const outcome = await cache.replaceIfUnmodified('greeting', version, 'hello, world')
console.log(outcome)
await client.close()
