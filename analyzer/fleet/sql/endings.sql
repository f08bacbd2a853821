-- How connections ended
-- Flows by verdict; keepalive rules VERDICT says what each means.
SELECT
    verdict,
    count(*) AS flows,
    count(DISTINCT capture_point) AS points,
    sum(probes_a + probes_b) AS probes,
    sum(probes_answered) AS answered
FROM flows
GROUP BY verdict
ORDER BY flows DESC, verdict
