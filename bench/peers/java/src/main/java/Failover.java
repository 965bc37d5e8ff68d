import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;

import org.infinispan.client.hotrod.MetadataValue;
import org.infinispan.client.hotrod.RemoteCache;
import org.infinispan.client.hotrod.RemoteCacheManager;
import org.infinispan.client.hotrod.configuration.ConfigurationBuilder;
import org.infinispan.commons.marshall.IdentityMarshaller;

/**
 * An application on Infinispan's own Java client that works through failures of a cluster and checks what it is told;
 * the same load and the same checks as in bench/failover-client. The client's settings are its defaults.
 */
public final class Failover {
   private static final long BUCKET_MS = 100;

   private final RemoteCache<byte[], byte[]> cache;
   private final int threads;
   private final int keys;

   private long began;
   private long beganUnixMs;
   private long last;
   private long longestPause;
   private long longestPauseAt;
   private long longestOperation;
   private long operations;
   private final List<Long> buckets = new ArrayList<>();
   private final Map<String, Long> errors = new TreeMap<>();
   private final List<String> wrongValues = new ArrayList<>();
   private final List<String> lostWrites = new ArrayList<>();

   private Failover(RemoteCache<byte[], byte[]> cache, int threads, int keys) {
      this.cache = cache;
      this.threads = threads;
      this.keys = keys;
   }

   public static void main(String[] args) throws Exception {
      Map<String, String> options = new HashMap<>();
      for (int i = 0; i + 1 < args.length; i += 2)
         options.put(args[i], args[i + 1]);
      ConfigurationBuilder configuration = new ConfigurationBuilder();
      configuration.addServer().host(options.getOrDefault("--host", "127.0.0.1"))
            .port(Integer.parseInt(options.getOrDefault("--port", "11222")));
      configuration.marshaller(IdentityMarshaller.INSTANCE);
      if (options.containsKey("--socket-timeout-ms"))
         configuration.socketTimeout(Integer.parseInt(options.get("--socket-timeout-ms")));
      int threads = Integer.parseInt(options.getOrDefault("--threads", "8"));
      int keys = Integer.parseInt(options.getOrDefault("--keys", "100"));
      try (RemoteCacheManager manager = new RemoteCacheManager(configuration.build())) {
         RemoteCache<byte[], byte[]> cache = manager.getCache(options.getOrDefault("--cache", "dist"));
         new Failover(cache, threads, keys).run(Double.parseDouble(options.getOrDefault("--warmup-seconds", "5")));
         cache.clear();
         System.out.println("{\"started\": " + System.currentTimeMillis() + "}");
         Failover failover = new Failover(cache, threads, keys);
         failover.run(Double.parseDouble(options.getOrDefault("--seconds", "30")));
         System.out.println(failover.json());
         failover.wrongValues.stream().limit(10).forEach(System.err::println);
         failover.lostWrites.stream().limit(10).forEach(System.err::println);
      }
   }

   private void run(double seconds) throws InterruptedException {
      began = System.nanoTime();
      beganUnixMs = System.currentTimeMillis();
      last = began;
      List<Thread> workers = new ArrayList<>();
      for (int index = 0; index < threads; index++) {
         Thread thread = new Thread(new Worker(index, began + (long) (seconds * 1e9)));
         thread.start();
         workers.add(thread);
      }
      for (Thread thread : workers)
         thread.join();
   }

   private synchronized void succeeded(long from) {
      long now = System.nanoTime();
      if (now - last > longestPause) {
         longestPause = now - last;
         longestPauseAt = last - began;
      }
      last = now;
      longestOperation = Math.max(longestOperation, now - from);
      int bucket = (int) ((now - began) / 1_000_000 / BUCKET_MS);
      while (buckets.size() <= bucket)
         buckets.add(0L);
      buckets.set(bucket, buckets.get(bucket) + 1);
      operations++;
   }

   private synchronized void failed(Exception error) {
      Throwable cause = error;
      while (cause.getCause() != null && cause.getCause() != cause)
         cause = cause.getCause();
      String message = cause.getClass().getSimpleName() + ": " + cause.getMessage();
      errors.merge(message.replaceAll("[0-9]+", "#"), 1L, Long::sum);
   }

   private synchronized void wrong(String what) {
      wrongValues.add(what);
   }

   private synchronized void lost(String what) {
      lostWrites.add(what);
   }

   private synchronized String json() {
      StringBuilder messages = new StringBuilder();
      errors.forEach((message, count) -> messages.append(messages.isEmpty() ? "" : ", ")
            .append('"').append(message.replace("\\", "\\\\").replace("\"", "\\\"")).append("\": ").append(count));
      long count = errors.values().stream().mapToLong(Long::longValue).sum();
      return String.format(Locale.ROOT,
            "{\"client\": \"java\", \"operations\": %d, \"errors\": %d, \"error_messages\": {%s}, "
                  + "\"longest_pause_ms\": %.3f, \"longest_pause_at_ms\": %.3f, \"longest_operation_ms\": %.3f, "
                  + "\"wrong_values\": %d, \"lost_writes\": %d, \"started_unix_ms\": %d, \"bucket_ms\": %d, \"buckets\": %s}",
            operations, count, messages, longestPause / 1e6, longestPauseAt / 1e6, longestOperation / 1e6,
            wrongValues.size(), lostWrites.size(), beganUnixMs, BUCKET_MS, buckets);
   }

   /** One thread: its keys, and what each may hold. A null stands for no value. */
   private final class Worker implements Runnable {
      private final int index;
      private final long end;
      private final Random random;
      private final byte[][] names;
      private final List<List<String>> possible = new ArrayList<>();
      private long written;

      Worker(int index, long end) {
         this.index = index;
         this.end = end;
         this.random = new Random(index);
         this.names = new byte[keys][];
         for (int key = 0; key < keys; key++) {
            names[key] = ("worker " + index + " key " + key).getBytes(StandardCharsets.UTF_8);
            List<String> nothing = new ArrayList<>();
            nothing.add(null);
            possible.add(nothing);
         }
      }

      @Override
      public void run() {
         while (System.nanoTime() < end) {
            int key = random.nextInt(keys);
            int kind = random.nextInt(10);
            long from = System.nanoTime();
            try {
               if (kind < 5)
                  check(key, text(cache.get(names[key])));
               else if (kind < 9)
                  write(key);
               else
                  compareAndSet(key);
               succeeded(from);
            } catch (Exception error) {
               failed(error);
               pause();
            }
         }
         for (int key = 0; key < keys; key++)
            checkAtEnd(key);
      }

      private void write(int key) {
         String value = nextValue();
         try {
            cache.put(names[key], value.getBytes(StandardCharsets.UTF_8));
         } catch (RuntimeException error) {
            // The client does not tell whether it may have been applied.
            possible.get(key).add(value);
            throw error;
         }
         acknowledged(key, value);
      }

      private void compareAndSet(int key) {
         MetadataValue<byte[]> entry = cache.getWithMetadata(names[key]);
         check(key, entry == null ? null : text(entry.getValue()));
         if (entry == null)
            return;
         String value = nextValue();
         boolean done;
         try {
            done = cache.replaceWithVersion(names[key], value.getBytes(StandardCharsets.UTF_8), entry.getVersion());
         } catch (RuntimeException error) {
            possible.get(key).add(value);
            throw error;
         }
         if (done)
            acknowledged(key, value);
         else if (possible.get(key).size() < 2)
            wrong(new String(names[key], StandardCharsets.UTF_8) + ": modified, and nobody else writes it");
      }

      private String nextValue() {
         return "value " + ++written + " of worker " + index;
      }

      private void acknowledged(int key, String value) {
         possible.get(key).clear();
         possible.get(key).add(value);
      }

      private void check(int key, String found) {
         if (possible.get(key).stream().noneMatch(value -> Objects.equals(value, found)))
            wrong(new String(names[key], StandardCharsets.UTF_8) + " held " + found + ", possible were " + possible.get(key));
      }

      private void checkAtEnd(int key) {
         String name = new String(names[key], StandardCharsets.UTF_8);
         Exception last = null;
         for (int attempt = 0; attempt < 15; attempt++) {
            try {
               String found = text(cache.get(names[key]));
               if (possible.get(key).stream().noneMatch(value -> Objects.equals(value, found)))
                  lost(name + " holds " + found + ", possible were " + possible.get(key));
               return;
            } catch (Exception error) {
               last = error;
               pause();
            }
         }
         lost(name + " can't be read: " + last);
      }

      private void pause() {
         try {
            Thread.sleep(5);
         } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
         }
      }
   }

   private static String text(byte[] bytes) {
      return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
   }
}
