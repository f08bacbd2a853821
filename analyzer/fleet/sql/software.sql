-- Families of software by their timers
-- Idle time, interval and count that probes show, the family of systems, and the families of programs that fit; of a
-- connection that several points saw, as the one with most of it shows them.
WITH ends AS (
    SELECT capture_point, host_a AS host, idle_a_s AS idle_s, interval_a_s AS interval_s, count_a AS "count",
        stack_a AS stack, software_a AS software
    FROM connections WHERE probes_a > 0 AND sighting = 1
    UNION ALL
    SELECT capture_point, host_b, idle_b_s, interval_b_s, count_b, stack_b, software_b
    FROM connections WHERE probes_b > 0 AND sighting = 1
)
SELECT
    idle_s,
    interval_s,
    "count",
    coalesce(nullif(stack, ''), 'unknown') AS stack,
    coalesce(nullif(software, ''), 'none known') AS software,
    count(*) AS ends,
    count(DISTINCT host) AS hosts
FROM ends
GROUP BY ALL
ORDER BY ends DESC, idle_s, interval_s, "count"
