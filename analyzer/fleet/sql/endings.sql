-- How connections ended
-- Flows by verdict, at each point: a connection that two points saw is two flows. keepalive rules VERDICT says what each
-- verdict means.
SELECT
    verdict,
    count(*) AS flows,
    count(DISTINCT capture_point) AS points,
    sum(probes_a + probes_b) AS probes,
    sum(probes_answered) AS answered
FROM flows
GROUP BY verdict
ORDER BY flows DESC, verdict
