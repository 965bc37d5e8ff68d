import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

import org.infinispan.client.hotrod.RemoteCache;
import org.infinispan.client.hotrod.RemoteCacheManager;
import org.infinispan.client.hotrod.configuration.ConfigurationBuilder;
import org.infinispan.commons.marshall.IdentityMarshaller;
import org.infinispan.commons.util.Version;

/**
 * Measures Infinispan's own Java client: a closed loop with N operations outstanding through its asynchronous API.
 * The rules of the measurement, which all peers share, are in ../README.md.
 */
public final class JavaPeer {
   /** How many writes or checks are outstanding before and after the measurement. */
   private static final int BATCH = 256;

   private final Options options;
   private final RemoteCache<byte[], byte[]> cache;
   private final byte[][] keys;
   private final byte[][] replacements;

   private final AtomicLong started = new AtomicLong();
   private final AtomicLong completed = new AtomicLong();
   private final AtomicReference<Throwable> failure = new AtomicReference<>();
   private final CountDownLatch failed = new CountDownLatch(1);
   private final CountDownLatch drained;
   private volatile boolean stopping;

   private JavaPeer(Options options, RemoteCache<byte[], byte[]> cache) {
      this.options = options;
      this.cache = cache;
      this.keys = new byte[options.keys][];
      this.replacements = new byte[options.keys][];
      this.drained = new CountDownLatch(options.inFlight);
      for (int i = 0; i < options.keys; i++) {
         keys[i] = String.format(Locale.ROOT, "key-%08d", i).getBytes(StandardCharsets.US_ASCII);
         replacements[i] = value(i, 1);
      }
   }

   public static void main(String[] args) {
      String line;
      try {
         Options options = new Options(args);
         ConfigurationBuilder configuration = new ConfigurationBuilder();
         configuration.addServer().host(options.host).port(options.port);
         configuration.marshaller(IdentityMarshaller.INSTANCE);
         try (RemoteCacheManager manager = new RemoteCacheManager(configuration.build())) {
            RemoteCache<byte[], byte[]> cache = manager.getCache(options.cache);
            if (cache == null)
               throw new IllegalStateException("the server has no cache '" + options.cache + "'");
            line = new JavaPeer(options, cache).run();
         }
      } catch (Exception e) {
         System.err.println("java peer: " + e);
         System.exit(1);
         return;
      }
      System.out.println(line);
   }

   private String run() throws Exception {
      fill();
      check(0);

      for (int i = 0; i < options.inFlight; i++)
         next();
      hold(options.warmupSeconds);

      var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      long operations = completed.get();
      long cpu = system.getProcessCpuTime();
      long wall = System.nanoTime();
      hold(options.seconds);
      operations = completed.get() - operations;
      cpu = system.getProcessCpuTime() - cpu;
      wall = System.nanoTime() - wall;

      stopping = true;
      if (!drained.await(60, TimeUnit.SECONDS))
         throw new IllegalStateException("operations are still outstanding after 60 s");
      if (failure.get() != null)
         throw new IllegalStateException(failure.get());
      if (operations == 0)
         throw new IllegalStateException("no operation completed");
      if (options.put)
         check((int) Math.min(started.get(), options.keys));

      double seconds = wall / 1e9;
      return String.format(Locale.ROOT,
            "{\"client\":\"java\",\"version\":\"%s\",\"operation\":\"%s\",\"in_flight\":%d,\"value_size\":%d,"
                  + "\"operations\":%d,\"seconds\":%.3f,\"ops_per_second\":%.1f,\"cpu_us_per_operation\":%.3f,"
                  + "\"peak_rss_kib\":%d,\"errors\":0}",
            Version.getVersion(), options.put ? "put" : "get", options.inFlight, options.valueSize,
            operations, seconds, operations / seconds, cpu / 1e3 / operations, peakRssKib());
   }

   /**
    * Starts one operation; its completion starts the next. The completion runs on the client's event loop, so the
    * answers of one read become the requests of one write, and no other thread is woken.
    */
   private void next() {
      if (stopping) {
         drained.countDown();
         return;
      }
      int i = (int) (started.getAndIncrement() % options.keys);
      if (options.put)
         cache.putAsync(keys[i], replacements[i]).whenComplete((previous, error) -> completed(error));
      else
         cache.getAsync(keys[i]).whenComplete((value, error) -> completed(error != null ? error : misread(i, value)));
   }

   private void completed(Throwable error) {
      if (error == null) {
         completed.incrementAndGet();
      } else {
         failure.compareAndSet(null, error);
         failed.countDown();
         stopping = true;
      }
      next();
   }

   private Throwable misread(int i, byte[] value) {
      if (value != null && value.length == options.valueSize)
         return null;
      return new IllegalStateException("key " + i + " holds " + (value == null ? "nothing" : value.length + " bytes"));
   }

   /** Lets the load run; a failed operation ends it. */
   private void hold(double seconds) throws InterruptedException {
      if (failed.await((long) (seconds * 1e9), TimeUnit.NANOSECONDS))
         throw new IllegalStateException(failure.get());
   }

   private void fill() {
      for (int from = 0; from < keys.length; from += BATCH) {
         int first = from;
         CompletableFuture<?>[] batch = new CompletableFuture<?>[Math.min(BATCH, keys.length - from)];
         Arrays.setAll(batch, n -> cache.putAsync(keys[first + n], value(first + n, 0)));
         CompletableFuture.allOf(batch).join();
      }
   }

   /** Reads every key: the first {@code replaced} of them must hold what the load wrote, the others what fill() wrote. */
   private void check(int replaced) {
      for (int from = 0; from < keys.length; from += BATCH) {
         int first = from;
         CompletableFuture<?>[] batch = new CompletableFuture<?>[Math.min(BATCH, keys.length - from)];
         Arrays.setAll(batch, n -> cache.getAsync(keys[first + n]));
         CompletableFuture.allOf(batch).join();
         for (int n = 0; n < batch.length; n++) {
            if (!Arrays.equals((byte[]) batch[n].join(), value(first + n, first + n < replaced ? 1 : 0)))
               throw new IllegalStateException("key " + (first + n) + " does not hold the value that was written");
         }
      }
   }

   /** The value of a key: the generation, then bytes of SplitMix64, so that no value is like another. */
   private byte[] value(int key, int generation) {
      byte[] bytes = new byte[options.valueSize];
      long state = key;
      for (int i = 0; i < bytes.length; i++) {
         state += 0x9e3779b97f4a7c15L;
         long z = state;
         z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
         z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
         bytes[i] = (byte) (z ^ (z >>> 31));
      }
      bytes[0] = (byte) generation;
      return bytes;
   }

   private static long peakRssKib() throws Exception {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
         if (line.startsWith("VmHWM:"))
            return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
      throw new IllegalStateException("/proc/self/status has no VmHWM");
   }

   private static final class Options {
      private static final Set<String> NAMES = Set.of("--host", "--port", "--cache", "--in-flight", "--seconds",
            "--warmup-seconds", "--value-size", "--keys", "--operation");

      final String host;
      final int port;
      final String cache;
      final int inFlight;
      final double seconds;
      final double warmupSeconds;
      final int valueSize;
      final int keys;
      final boolean put;

      Options(String[] args) {
         Map<String, String> given = new HashMap<>();
         for (int i = 0; i < args.length; i += 2) {
            if (!NAMES.contains(args[i]) || i + 1 == args.length)
               throw new IllegalArgumentException("what is '" + args[i] + "'? See README.md");
            given.put(args[i], args[i + 1]);
         }
         host = given.getOrDefault("--host", "127.0.0.1");
         port = Integer.parseInt(given.getOrDefault("--port", "11222"));
         cache = given.get("--cache");
         inFlight = positive(given, "--in-flight", "1");
         seconds = Double.parseDouble(given.getOrDefault("--seconds", "5"));
         warmupSeconds = Double.parseDouble(given.getOrDefault("--warmup-seconds", "5"));
         valueSize = positive(given, "--value-size", "64");
         keys = positive(given, "--keys", "1000");
         String operation = given.getOrDefault("--operation", "get");
         put = operation.equals("put");
         if (cache == null || seconds <= 0 || warmupSeconds < 0 || !(put || operation.equals("get")))
            throw new IllegalArgumentException("--cache is needed, times are in seconds, --operation is get or put");
      }

      private static int positive(Map<String, String> given, String name, String otherwise) {
         int number = Integer.parseInt(given.getOrDefault(name, otherwise));
         if (number < 1)
            throw new IllegalArgumentException(name + " must be at least 1");
         return number;
      }
   }
}
