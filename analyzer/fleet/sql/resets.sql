-- Who ends connections with RSTs
-- By the host in whose name the RST came; "between" where it does not look like that host's own.
SELECT
    CASE "by" WHEN 'a' THEN host_a WHEN 'b' THEN host_b WHEN 'between' THEN 'between' ELSE 'unknown' END AS reset_by,
    CASE server WHEN 'a' THEN port_a ELSE port_b END AS service_port,
    verdict,
    coalesce(nullif(cause, ''), 'none told') AS cause,
    count(*) AS connections,
    min(capture_point) AS example_point,
    arg_min(flow, (capture_point, flow)) AS example_flow
FROM (
    -- once, whichever points saw it
    SELECT *
    FROM connections
    WHERE verdict IN ('aborted', 'reset_on_probe')
    QUALIFY row_number() OVER (PARTITION BY connection ORDER BY "by" IS DISTINCT FROM 'between', sighting) = 1
)
GROUP BY ALL
ORDER BY connections DESC, reset_by, service_port
