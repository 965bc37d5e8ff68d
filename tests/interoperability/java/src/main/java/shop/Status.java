package shop;

import org.infinispan.protostream.annotations.ProtoEnumValue;

public enum Status {
   @ProtoEnumValue(number = 0) OPEN,
   @ProtoEnumValue(number = 1) PAID,
   @ProtoEnumValue(number = 2) LOST
}
