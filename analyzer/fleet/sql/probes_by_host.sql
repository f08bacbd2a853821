-- Probes by host
-- Who sends keepalive probes, how many, and how many are answered; of a connection that several points saw, as the one
-- with most of it shows them.
SELECT
    host,
    count(*) AS probes,
    count(*) FILTER (answer IN ('ack', 'data')) AS answered,
    count(*) FILTER (answer = 'rst') AS drew_rst,
    count(DISTINCT (capture_point, shard, capture, flow)) AS flows,
    count(DISTINCT capture_point) AS points
FROM probes
SEMI JOIN (SELECT capture_point, shard, capture, flow FROM connections WHERE sighting = 1)
    USING (capture_point, shard, capture, flow)
GROUP BY host
ORDER BY probes DESC, host
