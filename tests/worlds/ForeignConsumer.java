import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * A department's own program in Java, which knows nothing of casebus: it reads topics to their ends with Apicurio's
 * deserializer and prints each record as one line of JSON, all its fields as Avro gave them.
 *
 * <p>Arguments: Kafka's address, the registry's, and the topics.
 */
public final class ForeignConsumer {
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", "false");
        settings.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        settings.put("value.deserializer", "io.apicurio.registry.serde.avro.AvroKafkaDeserializer");
        settings.put("apicurio.registry.url", arguments[1]);
        try (KafkaConsumer<byte[], GenericRecord> consumer = new KafkaConsumer<>(settings)) {
            for (String topic : Arrays.asList(arguments).subList(2, arguments.length)) {
                read(consumer, topic);
            }
        }
        OUT.flush();
        System.exit(OUT.checkError() ? 1 : 0); // the registry's client leaves threads that would wait
    }

    private static void read(KafkaConsumer<byte[], GenericRecord> consumer, String topic) throws Exception {
        List<TopicPartition> places =
                consumer.partitionsFor(topic).stream().map(one -> new TopicPartition(topic, one.partition())).toList();
        consumer.assign(places);
        consumer.seekToBeginning(places);
        Map<TopicPartition, Long> ends = consumer.endOffsets(places);
        while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
            for (ConsumerRecord<byte[], GenericRecord> record : consumer.poll(Duration.ofMillis(200))) {
                print(record);
            }
        }
    }

    private static void print(ConsumerRecord<byte[], GenericRecord> record) throws Exception {
        if (record.value() == null) {
            return; // a tombstone
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("topic", record.topic());
        line.put("partition", record.partition());
        line.put("offset", record.offset());
        line.put("name", record.value().getSchema().getFullName());
        line.put("fields", plain(record.value()));
        OUT.println(JSON.writeValueAsString(line));
    }

    private static Object plain(Object value) {
        if (value instanceof GenericRecord record) {
            Map<String, Object> fields = new LinkedHashMap<>();
            for (Schema.Field field : record.getSchema().getFields()) {
                fields.put(field.name(), plain(record.get(field.pos())));
            }
            return fields;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> entries = new LinkedHashMap<>();
            map.forEach((key, one) -> entries.put(key.toString(), plain(one)));
            return entries;
        }
        if (value instanceof Collection<?> list) {
            return list.stream().map(ForeignConsumer::plain).collect(java.util.stream.Collectors.toList()); // null may be in it
        }
        if (value instanceof ByteBuffer bytes) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.duplicate().get(copy);
            return Map.of("bytes", HexFormat.of().formatHex(copy));
        }
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return value;
        }
        return value.toString(); // text, and the symbols of enums
    }
}
