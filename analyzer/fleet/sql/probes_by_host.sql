-- Probes by host
-- Who sends keepalive probes, how many, and how many are answered.
SELECT
    host,
    count(*) AS probes,
    count(*) FILTER (answer IN ('ack', 'data')) AS answered,
    count(*) FILTER (answer = 'rst') AS drew_rst,
    count(DISTINCT (capture_point, shard, capture, flow)) AS flows,
    count(DISTINCT capture_point) AS points
FROM probes
GROUP BY host
ORDER BY probes DESC, host
