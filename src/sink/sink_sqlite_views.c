#include "sink/sink_sqlite.h"

/* Milliseconds as RFC 3339 text; no value stays none. */
#define SHOWN(ms)                                                                                  \
    "strftime('%Y-%m-%dT%H:%M:%S', (" ms ") / 1000, 'unixepoch')"                                  \
    " || printf('.%03dZ', (" ms ") % 1000)"

#define DAY_MS "86400000"
#define DAY_TEXT "date(day * " DAY_MS " / 1000, 'unixepoch')"

/* Ten to the power of a scale. */
#define POWER                                                                                      \
    "(CASE amount_scale WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100 WHEN 3 THEN 1000"             \
    " WHEN 4 THEN 10000 WHEN 5 THEN 100000 WHEN 6 THEN 1000000 WHEN 7 THEN 10000000"               \
    " WHEN 8 THEN 100000000 WHEN 9 THEN 1000000000 END)"

/*
 * An exact sum in three integers of nine digits each, the last one behind the point: none can
 * overflow before there are 10^9 payments, and nothing is ever a floating point number.
 */
#define SUM_PARTS                                                                                  \
    "sum(amount_units / " POWER " / 1000000000) AS high,"                                          \
    " sum(amount_units / " POWER " % 1000000000) AS middle,"                                       \
    " sum(amount_units % " POWER " * (1000000000 / " POWER ")) AS low,"                            \
    " max(amount_scale) AS places"

#define MIDDLE "(middle + low / 1000000000)"
#define HIGH "(high + " MIDDLE " / 1000000000)"

/* The three integers as one decimal, with as many places as any of the amounts had. */
#define SUM_TEXT                                                                                   \
    "CASE WHEN " HIGH " > 0 THEN printf('%d%09d', " HIGH ", " MIDDLE " % 1000000000)"              \
    " ELSE printf('%d', " MIDDLE ") END || CASE WHEN places > 0 THEN '.' ||"                       \
    " substr(printf('%09d', low % 1000000000), 1, places) ELSE '' END"

/* SQL stands in lines of its own making. */
// clang-format off

const struct view schema_views_cursors[] = {
    {"checkpoint_log",
     "SELECT e.epoch || '-' || json_extract(r.value, '$[0]') AS checkpoint_id,"
     " e.epoch AS batch_number, c.topic AS topic, c.incarnation AS incarnation,"
     " c.partition AS partition, json_extract(r.value, '$[1]') AS start_offset,"
     " json_extract(r.value, '$[2]') - 1 AS end_offset,"
     " json_extract(r.value, '$[2]') - json_extract(r.value, '$[1]') AS transactions_processed,"
     " json_extract(r.value, '$[3]') AS transactions_deduplicated,"
     " " SHOWN("e.sealed_time") " AS checkpoint_time,"
     " e.sealed_time - e.decided_time AS duration_ms, 'completed' AS status"
     " FROM payonce_epoch e, json_each(e.ranges) r"
     " LEFT JOIN payonce_cursor c ON c.source = json_extract(r.value, '$[0]')"},

    {"deduplication_effectiveness",
     "SELECT topic, incarnation, partition, messages, accepted, duplicates, conflicts,"
     " messages - accepted - duplicates - conflicts AS other,"
     " printf('%d.%02d', duplicates * 10000 / messages / 100,"
     " duplicates * 10000 / messages % 100) AS duplicate_percent"
     " FROM (SELECT c.topic, c.incarnation, c.partition, sum(t.count) AS messages,"
     " sum(CASE t.verdict WHEN 'accepted' THEN t.count ELSE 0 END) AS accepted,"
     " sum(CASE t.verdict WHEN 'duplicate' THEN t.count ELSE 0 END) AS duplicates,"
     " sum(CASE t.verdict WHEN 'conflict' THEN t.count ELSE 0 END) AS conflicts"
     " FROM payonce_total t JOIN payonce_cursor c ON c.source = t.source"
     " WHERE t.count > 0 GROUP BY c.source)"},

    {NULL, NULL},
};

const struct view schema_views[] = {
    {"deduplication_audit",
     "SELECT transaction_id, " SHOWN("min(first_event_time)") " AS first_occurrence_time,"
     " count(*) AS duplicate_occurrences,"
     " group_concat(" SHOWN("event_time") ", ' ') AS duplicate_timestamps,"
     " 'same transaction_id, same content' AS reason,"
     " " SHOWN("max(detected_time)") " AS detected_time FROM payment_duplicates"
     " GROUP BY transaction_id, first_topic, first_incarnation, first_partition, first_offset"},

    {"error_log",
     "SELECT seq AS error_id, transaction_id, verdict AS error_type, reason AS error_code,"
     " sentence || CASE WHEN field IS NULL THEN '' ELSE ': ' || field END AS error_message,"
     " " SHOWN("detected_time") " AS detected_time, 0 AS retry_count, NULL AS last_retry_time,"
     " 'set aside' AS resolution_status FROM payment_dead_letters"},

    {"payment_transactions_fraud",
     "SELECT t.*, count_5m AS txn_count_5min, " SHOWN("processing_time") " AS enrichment_time"
     " FROM payment_transactions t"},

    {"fraud_velocity_alerts",
     "SELECT transaction_id, sender_account_id, velocity_60s AS txn_velocity_window,"
     " velocity_60s > 3 AS is_velocity_fraud, " SHOWN("event_time") " AS alert_timestamp,"
     " CASE WHEN velocity_60s > 10 THEN 'CRITICAL' WHEN velocity_60s > 5 THEN 'HIGH'"
     " ELSE 'MEDIUM' END AS alert_severity FROM payment_transactions WHERE velocity_60s > 3"},

    {"payment_sums",
     "SELECT currency, amount_scale, payments, " SUM_TEXT " AS total FROM (SELECT currency,"
     " amount_scale, count(*) AS payments, " SUM_PARTS " FROM payment_transactions"
     " GROUP BY currency, amount_scale)"},

    {"daily_reconciliation",
     "SELECT " DAY_TEXT " AS day, currency, transaction_count, " SUM_TEXT " AS total_amount,"
     " duplicate_count, set_aside_count, CASE WHEN (SELECT max(watermark) FROM payonce_pipeline)"
     " >= (day + 1) * " DAY_MS " THEN 'final' ELSE 'provisional' END AS status"
     " FROM (SELECT day, currency, sum(accepted) AS transaction_count,"
     " sum(repeated) AS duplicate_count, sum(aside) AS set_aside_count, " SUM_PARTS " FROM ("
     "SELECT event_time / " DAY_MS " AS day, currency, amount_units, amount_scale,"
     " 1 AS accepted, 0 AS repeated, 0 AS aside FROM payment_transactions"
     " UNION ALL SELECT event_time / " DAY_MS ", currency, 0, 0, 0, 1, 0 FROM payment_duplicates"
     " UNION ALL SELECT event_time / " DAY_MS ", currency, 0, 0, 0, 0, 1"
     " FROM payment_dead_letters WHERE event_time IS NOT NULL) GROUP BY day, currency)"},

    {"fraud_summary",
     "SELECT " DAY_TEXT " AS day, payments, high_risk, look_alikes, velocity_alerts,"
     " highest_score FROM (SELECT event_time / " DAY_MS " AS day, count(*) AS payments,"
     " sum(is_high_risk) AS high_risk, count(look_alike_of) AS look_alikes,"
     " sum(velocity_60s > 3) AS velocity_alerts, max(fraud_score) AS highest_score"
     " FROM payment_transactions GROUP BY 1)"},

    {"active_high_risk_accounts",
     "SELECT sender_account_id, high_risk_payments, highest_score,"
     " " SHOWN("newest") " AS last_payment_time FROM (SELECT sender_account_id,"
     " count(*) AS high_risk_payments, max(fraud_score) AS highest_score,"
     " max(event_time) AS newest FROM payment_transactions WHERE is_high_risk = 1"
     " AND event_time > (SELECT max(newest_event) FROM payonce_cursor) - " DAY_MS
     " GROUP BY sender_account_id) ORDER BY high_risk_payments DESC, sender_account_id"},

    {NULL, NULL},
};
