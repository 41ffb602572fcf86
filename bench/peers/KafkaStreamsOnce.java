// Kafka Streams, exactly_once_v2, doing the plain job (see once_per_key.py). Started by the JDK as it is:
// java -cp <jars> KafkaStreamsOnce.java

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

public class KafkaStreamsOnce {
    static final String STORE = "once";
    static final ObjectMapper JSON = new ObjectMapper();
    static final String[] KEY = {"patient", "stream", "service", "service_date"};
    static final String[] ABOUT = {
        "source", "procedure_id", "patient", "facility", "stream", "service", "service_date", "code", "received"
    };
    static final String[] CHARGED = {
        "patient", "facility", "stream", "service", "service_date", "code", "revenue_code", "charge_code",
        "account_number", "encounter_number", "patient_class", "performers", "performed_start",
        "performed_end", "product_ids", "event_id"
    };

    static class Once implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<String, byte[]> store;

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            this.store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            try {
                ObjectNode event = (ObjectNode) JSON.readTree(record.value());
                String key = key(event);
                byte[] known = store.get(key);
                ObjectNode state = known == null ? JSON.createObjectNode() : (ObjectNode) JSON.readTree(known);
                String eventId = event.get("event_id").asText();
                ObjectNode decision = JSON.createObjectNode();
                decision.put("type", "decision").put("event_id", eventId).put("sequence", 1).put("cause", eventId);
                copy(event, decision, ABOUT);
                if (known == null) {
                    state.put("first", eventId).put("seen", 1);
                    ObjectNode billing = JSON.createObjectNode();
                    billing.put("type", "billing_event").put("kind", "charge").put("id", key).put("unit", 1);
                    billing.put("sequence", 1).put("units", 1).put("code_system", "CPT");
                    copy(event, billing, CHARGED);
                    billing.put("cause", eventId).put("reason", "first_of_day");
                    decision.put("outcome", "reported").put("reason", "first_of_day").put("charge_id", key);
                    context.forward(record.withValue(JSON.writeValueAsBytes(billing)), "billing");
                } else {
                    state.put("seen", state.get("seen").asInt() + 1);
                    decision.put("outcome", "already_reported").set("covered_by", state.get("first"));
                }
                store.put(key, JSON.writeValueAsBytes(state));
                context.forward(record.withValue(JSON.writeValueAsBytes(decision)), "decisions");
            } catch (java.io.IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
        }

        private static String key(ObjectNode event) {
            StringBuilder key = new StringBuilder();
            for (String name : KEY) {
                key.append(event.path(name).asText("")).append('|');
            }
            return key.toString();
        }

        private static void copy(ObjectNode from, ObjectNode to, String[] names) {
            for (String name : names) {
                if (from.has(name)) {
                    to.set(name, from.get(name));
                }
            }
        }
    }

    public static void main(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given("GROUP"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given("BROKERS"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, given("FOLDER"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        // The commit interval stays at 100 ms, the default of exactly_once_v2: what a reader waits, as with
        // Perdiem. Larger polls and batches than the defaults, to commit more with each.
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given("THREADS"));
        settings.put(StreamsConfig.consumerPrefix("max.poll.records"), 2000);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.producerPrefix("batch.size"), 1 << 17);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);

        Topology topology = new Topology();
        var bytes = Serdes.ByteArray();
        topology.addSource("source", bytes.deserializer(), bytes.deserializer(), given("SOURCE"));
        topology.addProcessor("once", Once::new, "source");
        // RocksDB with its changelog, behind the record cache: the same as Materialized with caching.
        topology.addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.String(), bytes)
                .withCachingEnabled(),
            "once");
        topology.addSink("billing", given("BILLING"), bytes.serializer(), bytes.serializer(), "once");
        topology.addSink("decisions", given("DECISIONS"), bytes.serializer(), bytes.serializer(), "once");

        KafkaStreams streams = new KafkaStreams(topology, settings);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
        streams.start();
    }

    private static String given(String name) {
        return System.getenv("BENCH_" + name);
    }
}
