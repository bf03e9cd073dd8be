import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams at the plain loop's work, as one process of bench/compare.py.
 *
 * <p>Each event is decoded (Avro's own generic reader and writer), the state of its case (how many events, the last one's
 * type and moment) is read from the library's RocksDB store and written back, which writes the store's changelog topic, and
 * one Avro record goes to the output topic. exactly_once_v2, one thread, the library's own commit each 100 ms. It does none
 * of the router's own work.
 *
 * <p>Arguments: bootstrap servers, application id, folder of the state, folder of the schemas, topic of events, topic to write.
 */
public final class CompareStreams {
    private static final int FINGERPRINT = 2; // where it begins: single-object encoding is C3 01, fingerprint, body

    private CompareStreams() {}

    public static void main(String[] arguments) throws IOException {
        Map<Long, Form> forms = forms(Path.of(arguments[3]));
        KafkaStreams streams = new KafkaStreams(topology(forms, arguments[4], arguments[5]), settings(arguments));
        streams.setUncaughtExceptionHandler(
                error -> {
                    error.printStackTrace();
                    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                });
        streams.setStateListener(
                (now, before) -> {
                    if (now == KafkaStreams.State.ERROR) {
                        Runtime.getRuntime().halt(1);
                    }
                });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static Topology topology(Map<Long, Form> forms, String events, String output) {
        Topology topology = new Topology();
        topology.addSource("events", new ByteArrayDeserializer(), new ByteArrayDeserializer(), events);
        topology.addProcessor("work", () -> new Work(forms), "events");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(Work.CASES), Serdes.ByteArray(), Serdes.ByteArray()),
                "work");
        topology.addSink("output", output, new ByteArraySerializer(), new ByteArraySerializer(), "work");
        return topology;
    }

    /** The times after which a dead process is given up are those of the other contestants; all else is as it comes. */
    private static Properties settings(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 1500);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 8000);
        return settings;
    }

    /** What reads and writes one type of event. */
    private record Form(String type, BinaryMessageDecoder<GenericRecord> decoder, BinaryMessageEncoder<GenericRecord> encoder) {}

    private static Map<Long, Form> forms(Path folder) throws IOException {
        Map<Long, Form> forms = new HashMap<>();
        for (Path file : schemas(folder)) {
            Schema schema = new Schema.Parser().parse(Files.readString(file));
            forms.put(
                    SchemaNormalization.parsingFingerprint64(schema),
                    new Form(
                            schema.getName(),
                            new BinaryMessageDecoder<>(GenericData.get(), schema),
                            new BinaryMessageEncoder<>(GenericData.get(), schema)));
        }
        return forms;
    }

    private static List<Path> schemas(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".avsc")).collect(Collectors.toList());
        }
    }

    private static final class Work extends ContextualProcessor<byte[], byte[], byte[], byte[]> {
        static final String CASES = "cases";
        private final Map<Long, Form> forms;
        private KeyValueStore<byte[], byte[]> cases;

        Work(Map<Long, Form> forms) {
            this.forms = forms;
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            super.init(context);
            cases = context.getStateStore(CASES);
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            long fingerprint = ByteBuffer.wrap(record.value()).order(ByteOrder.LITTLE_ENDIAN).getLong(FINGERPRINT);
            Form form = forms.get(fingerprint);
            if (form == null) {
                throw new IllegalArgumentException("an event of an unknown schema, fingerprint " + Long.toHexString(fingerprint));
            }
            try {
                GenericRecord event = form.decoder().decode(record.value());
                GenericRecord header = (GenericRecord) event.get("header");
                long at = (Long) ((GenericRecord) header.get("occurred_at")).get("at");
                cases.put(record.key(), written(count(cases.get(record.key())) + 1, form.type(), at));
                ByteBuffer encoded = form.encoder().encode(event);
                byte[] value = new byte[encoded.remaining()];
                encoded.get(value);
                context().forward(record.withValue(value));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        /** How many events a state has seen; all of it is read, as the others do. */
        private static int count(byte[] state) throws IOException {
            if (state == null) {
                return 0;
            }
            DataInputStream input = new DataInputStream(new ByteArrayInputStream(state));
            int events = input.readInt();
            input.readUTF();
            input.readLong();
            return events;
        }

        private static byte[] written(int events, String type, long at) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream output = new DataOutputStream(bytes);
            output.writeInt(events);
            output.writeUTF(type);
            output.writeLong(at);
            return bytes.toByteArray();
        }
    }
}
