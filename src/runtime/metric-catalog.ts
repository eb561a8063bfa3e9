/** What a metric means; a name without an entry is shown all the same. */
export interface MetricEntry {
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Shown as 0 where nothing has happened yet, so that rules can be written on it from the first day. */
  readonly always?: true;
}

const counter = (help: string): MetricEntry => ({ help, kind: 'counter' });
const gauge = (help: string): MetricEntry => ({ help, kind: 'gauge' });

/** The metrics of a runtime and of the worker around it, by name. */
export const metricCatalog: Readonly<Record<string, MetricEntry>> = {
  stream_publish_total: {
    ...counter('Messages stored for a pipeline or a feed, markers not counted.'),
    always: true,
  },
  stream_consume_total: { ...counter('Messages taken from the bus, markers not counted.'), always: true },
  stream_publish_bytes: { ...counter('Their payload bytes.'), always: true },
  stream_handler_error_total: {
    ...counter('Failures of handlers: those tried again, and those that ended it.'),
    always: true,
  },
  stream_retries_total: { ...counter('Messages tried again.'), always: true },
  stream_dlq_total: { ...counter('Messages stored as dead letters.'), always: true },
  stream_mirror_lag: {
    ...gauge('Messages that a mirror has not copied yet; 0 where nothing is mirrored.'),
    always: true,
  },
  stream_filtered_total: counter('Messages that led to no output.'),
  stream_skipped_total: counter('Failed messages left out by the failure policy.'),
  stream_late_total: counter('Messages behind the watermark.'),
  stream_duplicates_total: counter('Repetitions of messages that had come before.'),
  stream_rebalance_duplicates_total: counter(
    'Messages that another member gets again, because their partition went to it before they were committed.',
  ),
  stream_dedupe_forgotten_total: counter('Identities forgotten before their time, for want of room.'),
  stream_fallback_total: counter('Failed messages that went on with a fallback, by failure tag.'),
  stream_expired_total: counter('Notifications too old to be told.'),
  stream_notified_total: counter('Notifications told.'),
  stream_in_flight: gauge('Messages taken and not settled.'),
  stream_circuit_opened_total: counter('Times that a circuit breaker has opened.'),
  stream_quarantine_total: counter('Messages put into quarantine, by failure tag.'),
  stream_circuit_state: gauge('A circuit breaker: 0 closed, 1 half-open, 2 open.'),
  stream_delayed: gauge('Messages that wait until they are due.'),
  stream_retry_waiting: gauge('Messages that wait in memory until they are tried again.'),
  stream_buffered: gauge('Messages that wait inside an operator.'),
  stream_rate_keys: gauge('Keys that a rate limit keeps a bucket for.'),
  stream_spilled_messages: gauge(
    'Messages in the folder of a spilling publisher that the broker has not stored.',
  ),
  stream_spilled_bytes: gauge('What they take on disk.'),
  stream_spill_oldest_age_ms: gauge('How long the first of them has waited, ms.'),
  stream_spilled_total: counter('Messages accepted by writing them to that folder.'),
  stream_spill_refused_total: counter('Spilled messages that the broker refused for good.'),
  stream_join_waiting: gauge('Messages that wait until the other side of a join has come as far.'),
  stream_table_rows: gauge('Rows of the table side of a join.'),
  stream_lag_messages: gauge('Messages in the input that are not settled.'),
  stream_lag_event_time_seconds: gauge('Wall clock minus the event time of the newest message taken.'),
  stream_watermark_seconds: gauge('Event time up to which everything is done, since the epoch.'),
  stream_handling_seconds: {
    help: 'Time from the first delivery of a message until all up to it is settled.',
    kind: 'histogram',
  },
  stream_restarts_total: counter('Restarts of a pipeline after it broke.'),
  stream_snapshots_total: counter('Snapshots of state stored.'),
  stream_restored_records_total: counter(
    'Records of the changelog read before the first message of a partition that has come.',
  ),
  stream_standby_partitions: gauge('Partitions of others whose state is kept warm here.'),
  stream_standby_bytes: gauge('What is kept of it, as stored.'),
  stream_standby_lag: gauge('Records of the changelog that these copies have not come to yet.'),
  stream_state_keys: gauge('Keys whose state an operator holds.'),
  stream_running: gauge('1 while the pipeline runs, else 0.'),
  stream_bus_healthy: gauge('1 while the bus finds nothing wrong with itself and its brokers, else 0.'),
  stream_bus_connected_brokers: gauge('Brokers of the cluster that answer from here; 0 while none does.'),
  stream_bus_under_replicated_partitions: gauge('Partitions of topics used here whose copies lag behind.'),
  stream_bus_producer_latency_seconds: gauge('From sending to stored, over recent traffic; 0 without any.'),
  stream_bus_consumer_latency_seconds: gauge('From stored to delivered, over recent traffic; 0 without any.'),
  stream_bus_rebalances_total: counter(
    'Times that partitions were shared out anew among members of a group.',
  ),
  stream_bus_consumer_restarts_total: counter(
    'Times that a consumer which had stalled, or lost its brokers for long, was begun anew.',
  ),
  stream_feed_running: gauge(
    '1 where a feed is run, 0 where it waits, as for another worker that runs it, or has ended.',
  ),
  stream_worker_ready: gauge('1 while a supervised worker is ready, else 0.'),
  stream_worker_restarts_total: counter('Restarts of a supervised worker after its process died.'),
  stream_metrics_capped: gauge('Label sets of a metric that are left out because there are too many.'),
};
