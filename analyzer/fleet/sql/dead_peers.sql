-- Dead peers, and how long it took to notice them
-- One end gave up after unanswered probes or data; counted from the last time its peer was heard.
SELECT
    CASE "by" WHEN 'a' THEN host_a ELSE host_b END AS noticed_by,
    CASE "by" WHEN 'a' THEN host_b ELSE host_a END AS dead_peer,
    count(*) AS connections,
    round(min(ending_s - CASE "by" WHEN 'a' THEN heard_b_s ELSE heard_a_s END), 3) AS shortest_s,
    round(max(ending_s - CASE "by" WHEN 'a' THEN heard_b_s ELSE heard_a_s END), 3) AS longest_s,
    min(capture_point) AS example_point,
    arg_min(flow, (capture_point, flow)) AS example_flow
FROM (
    -- once, whichever points saw it
    SELECT *
    FROM connections
    WHERE verdict = 'timed_out' AND "by" IN ('a', 'b')
    QUALIFY row_number() OVER (PARTITION BY connection ORDER BY sighting) = 1
)
GROUP BY ALL
ORDER BY longest_s DESC, noticed_by, dead_peer
