package shop;

import org.infinispan.protostream.annotations.ProtoFactory;
import org.infinispan.protostream.annotations.ProtoField;

public record Line(@ProtoField(1) String item, @ProtoField(value = 2, defaultValue = "0") long count) {
   @ProtoFactory
   public Line {
   }
}
