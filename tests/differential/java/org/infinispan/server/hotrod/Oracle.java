package org.infinispan.server.hotrod;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

import javax.security.auth.Subject;

import org.infinispan.manager.EmbeddedCacheManager;
import org.infinispan.server.hotrod.configuration.HotRodServerConfigurationBuilder;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;

/**
 * Infinispan's own request decoder, asked where requests end.
 *
 * <p>The decoder is the server's class. What it would execute is only noted: permission is refused with an exception, which the
 * decoder treats as it treats every exception of an operation, so the place in the stream is the same.
 *
 * <p>Standard input has streams: an int with the number of bytes, the bytes, a byte with the number of cuts, an int for each cut.
 * A stream is decoded twice, whole and in the pieces between its cuts. The answer is the events of the first and then of the second:
 * a short with their number, and for each a byte (0 request, 1 exception, 2 connection closed, 3 nothing more, in the middle of a
 * request or not), an int (the number of bytes consumed), a byte (opcode), a long (message id), and a text (modified UTF-8; the
 * exception).
 */
final class Oracle {
   private static final byte REQUEST = 0, EXCEPTION = 1, CLOSED = 2, END = 3;
   /** More of a stream is not looked at. */
   private static final int MOST_EVENTS = 64;

   /** Permission is refused: the request has been read to its end. */
   private static final class Executed extends RuntimeException {
      Executed() {
         super("executed", null, false, false);
      }
   }

   private static final Executed EXECUTED = new Executed();
   private static final VarHandle STATE;

   static {
      try {
         STATE = MethodHandles.privateLookupIn(HotRodDecoder.class, MethodHandles.lookup())
               .findVarHandle(HotRodDecoder.class, "state", int.class);
      } catch (ReflectiveOperationException e) {
         throw new ExceptionInInitializerError(e);
      }
   }

   /** Configured, and not started. */
   private static final class Server extends HotRodServer {
      Server() {
         configuration = new HotRodServerConfigurationBuilder().build();
      }
   }

   private record Event(byte kind, int consumed, byte opcode, long messageId, String text) {
   }

   private final EmbeddedCacheManager caches = (EmbeddedCacheManager) Proxy.newProxyInstance(Oracle.class.getClassLoader(),
         new Class<?>[] {EmbeddedCacheManager.class}, (self, method, arguments) -> {
            if (method.getName().equals("cacheExists")) return false;
            throw new UnsupportedOperationException(method.getName());
         });
   private final Server server = new Server();
   private final EmbeddedChannel channel = new EmbeddedChannel();
   private List<Event> events;
   private ByteBuf bytes;
   private final ChannelHandlerContext context = (ChannelHandlerContext) Proxy.newProxyInstance(Oracle.class.getClassLoader(),
         new Class<?>[] {ChannelHandlerContext.class}, (self, method, arguments) -> switch (method.getName()) {
            case "channel" -> channel;
            case "close" -> {
               note(CLOSED, (byte) 0, 0, "");
               yield channel.newSucceededFuture();
            }
            default -> throw new UnsupportedOperationException(method.getName());
         });
   private final Authentication authentication;
   private final TransactionRequestProcessor processor;

   private Oracle() {
      channel.config().setAllocator(new UnpooledByteBufAllocator(false));
      authentication = new Authentication(channel, Runnable::run, server) {
         @Override
         public void authMechList(HotRodHeader header) {
            executed(header);
         }

         @Override
         public void auth(HotRodHeader header, String mech, byte[] response) {
            executed(header);
         }

         @Override
         public Subject getSubject(HotRodOperation operation) {
            throw EXECUTED;
         }
      };
      processor = new TransactionRequestProcessor(channel, Runnable::run, server, null) {
         @Override
         void writeException(HotRodHeader header, Throwable cause) {
            failed(header, cause);
         }

         @Override
         void writeException(HotRodHeader header, long messageId, Throwable cause) {
            if (cause == EXECUTED) {
               executed(header);
            } else {
               failed(header, cause);
            }
         }
      };
   }

   private void executed(HotRodHeader header) {
      note(REQUEST, (byte) header.op.getRequestOpCode(), header.messageId, "");
   }

   private void failed(HotRodHeader header, Throwable cause) {
      note(EXCEPTION, (byte) 0, 0, cause.toString());
   }

   private void note(byte kind, byte opcode, long messageId, String text) {
      events.add(new Event(kind, bytes.readerIndex(), opcode, messageId, text));
   }

   /** What the decoder does with a stream that comes in pieces. */
   private List<Event> decode(byte[] stream, int[] cuts) {
      events = new ArrayList<>();
      bytes = Unpooled.wrappedBuffer(stream);
      HotRodDecoder decoder = new HotRodDecoder(caches, Runnable::run, server);
      decoder.auth = authentication;
      decoder.cacheProcessor = processor;
      // The others only ever see a request for which permission was refused.
      for (int piece = 0; piece <= cuts.length; piece++) {
         bytes.writerIndex(piece == cuts.length ? stream.length : cuts[piece]);
         decodePiece(decoder);
      }
      if (events.size() < MOST_EVENTS) {
         note(END, (byte) 0, 0, (int) STATE.get(decoder) == 0 ? "" : "state " + STATE.get(decoder));
      }
      return events;
   }

   /** As {@code ByteToMessageDecoder.callDecode}: again as long as bytes are consumed. */
   private void decodePiece(HotRodDecoder decoder) {
      int before;
      do {
         before = bytes.readerIndex();
         try {
            decoder.decode(context, bytes, new ArrayList<>());
         } catch (Throwable t) {
            note(EXCEPTION, (byte) 0, 0, "not caught: " + t);
         }
      } while (bytes.isReadable() && bytes.readerIndex() != before && events.size() < MOST_EVENTS);
   }

   private static void write(List<Event> events, DataOutputStream out) throws IOException {
      out.writeShort(events.size());
      for (Event event : events) {
         out.writeByte(event.kind);
         out.writeInt(event.consumed);
         out.writeByte(event.opcode);
         out.writeLong(event.messageId);
         out.writeUTF(event.text.length() > 200 ? event.text.substring(0, 200) : event.text);
      }
   }

   private void serve() throws IOException {
      DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
      try {
         while (true) {
            if (in.available() == 0) {
               out.flush();
            }
            byte[] stream = new byte[in.readInt()];
            in.readFully(stream);
            int[] cuts = new int[in.readUnsignedByte()];
            for (int index = 0; index < cuts.length; index++) {
               cuts[index] = in.readInt();
            }
            // An answer stays whole in a buffer of its own: a fault of this program shows as an end, not as half of one.
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            DataOutputStream whole = new DataOutputStream(answer);
            write(decode(stream, new int[0]), whole);
            write(decode(stream, cuts), whole);
            answer.writeTo(out);
         }
      } catch (EOFException end) {
         out.flush();
      }
   }

   public static void main(String[] arguments) throws IOException {
      new Oracle().serve();
   }
}
