import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.infinispan.client.hotrod.MetadataValue;
import org.infinispan.client.hotrod.RemoteCache;
import org.infinispan.client.hotrod.RemoteCacheManager;
import org.infinispan.client.hotrod.RemoteCounterManagerFactory;
import org.infinispan.client.hotrod.annotation.ClientCacheEntryCreated;
import org.infinispan.client.hotrod.annotation.ClientCacheEntryRemoved;
import org.infinispan.client.hotrod.annotation.ClientListener;
import org.infinispan.client.hotrod.configuration.ClientIntelligence;
import org.infinispan.client.hotrod.configuration.ConfigurationBuilder;
import org.infinispan.client.hotrod.event.ClientCacheEntryCreatedEvent;
import org.infinispan.client.hotrod.event.ClientCacheEntryRemovedEvent;
import org.infinispan.commons.marshall.UTF8StringMarshaller;
import org.infinispan.counter.api.CounterConfiguration;
import org.infinispan.counter.api.CounterManager;
import org.infinispan.counter.api.CounterType;

/** Infinispan's own client, as it is: ThroughGateway HOST PORT [INTELLIGENCE]. Prints "passed", or fails. */
public class ThroughGateway {
    static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("not true: " + what);
        }
    }

    public static void main(String[] arguments) throws Exception {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.addServer().host(arguments[0]).port(Integer.parseInt(arguments[1]));
        builder.marshaller(new UTF8StringMarshaller());
        String name = "default";
        if (arguments.length > 2) {
            name = arguments[2];
            builder.clientIntelligence(ClientIntelligence.valueOf(name));
        }
        try (RemoteCacheManager manager = new RemoteCacheManager(builder.build())) {
            RemoteCache<String, String> cache = manager.getCache("dist");
            cache.clear();
            oneEntry(cache);
            manyEntries(cache);
            events(cache);
            counter(RemoteCounterManagerFactory.asCounterManager(manager), "java-" + name);
            cache.clear();
        }
        System.out.println("passed");
    }

    static void oneEntry(RemoteCache<String, String> cache) {
        check(cache.put("k", "one") == null && "one".equals(cache.get("k")), "what is written is read");
        check("one".equals(cache.withFlags(org.infinispan.client.hotrod.Flag.FORCE_RETURN_VALUE).putIfAbsent("k", "two")),
            "the previous value is told");
        MetadataValue<String> entry = cache.getWithMetadata("k");
        check(!cache.replaceWithVersion("k", "three", entry.getVersion() + 1), "another version");
        check(cache.replaceWithVersion("k", "three", entry.getVersion()), "the same version");
        check(cache.containsKey("k") && "three".equals(cache.get("k")), "replaced");
        cache.put("mortal", "v", 1000, TimeUnit.SECONDS);
        check(cache.getWithMetadata("mortal").getLifespan() == 1000, "a lifespan");
        String large = "0123456789abcdef".repeat(1 << 16);
        cache.put("large", large);
        check(large.equals(cache.get("large")), "1 MiB");
        for (String key : new String[] {"k", "mortal", "large"}) {
            cache.remove(key);
        }
        check(cache.get("k") == null && cache.size() == 0, "removed");
    }

    static void manyEntries(RemoteCache<String, String> cache) {
        Map<String, String> entries = new HashMap<>();
        for (int number = 0; number < 1000; number++) {
            entries.put("key " + number, "value " + number);
        }
        cache.putAll(entries);
        check(cache.getAll(entries.keySet()).equals(entries), "getAll");
        Set<String> found = new TreeSet<>();
        try (var iterator = cache.retrieveEntries(null, 50)) {
            iterator.forEachRemaining(entry -> check(found.add((String) entry.getKey()), "an entry comes once"));
        }
        check(found.equals(new TreeSet<>(entries.keySet())), "iteration");
        check(cache.keySet().size() == 1000, "keySet");
        cache.putAll(Collections.singletonMap("one", "more"));
    }

    @ClientListener
    public static class Heard {
        final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();

        @ClientCacheEntryCreated
        public void created(ClientCacheEntryCreatedEvent<String> event) {
            events.add("created " + event.getKey());
        }

        @ClientCacheEntryRemoved
        public void removed(ClientCacheEntryRemovedEvent<String> event) {
            events.add("removed " + event.getKey());
        }
    }

    static void events(RemoteCache<String, String> cache) throws InterruptedException {
        Heard heard = new Heard();
        cache.addClientListener(heard);
        cache.put("heard", "v");
        cache.remove("heard");
        check("created heard".equals(heard.events.poll(20, TimeUnit.SECONDS)), "created");
        check("removed heard".equals(heard.events.poll(20, TimeUnit.SECONDS)), "removed");
        cache.removeClientListener(heard);
    }

    static void counter(CounterManager counters, String name) throws Exception {
        counters.defineCounter(name, CounterConfiguration.builder(CounterType.UNBOUNDED_STRONG).initialValue(5).build());
        check(counters.getStrongCounter(name).addAndGet(3).get(20, TimeUnit.SECONDS) == 8, "a counter");
        counters.remove(name);
    }
}
