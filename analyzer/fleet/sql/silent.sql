-- Connections that fell silent
-- Unanswered to the end of their captures: nobody has noticed yet, or nobody asks.
SELECT
    CASE server WHEN 'a' THEN host_a ELSE host_b END AS service_host,
    CASE server WHEN 'a' THEN port_a ELSE port_b END AS service_port,
    count(*) AS connections,
    sum(probes_a + probes_b) AS probes,
    min(capture_point) AS example_point,
    arg_min(flow, (capture_point, flow)) AS example_flow
FROM (
    -- once, whichever points saw it
    SELECT *
    FROM connections
    WHERE verdict = 'silent'
    QUALIFY row_number() OVER (PARTITION BY connection ORDER BY sighting) = 1
)
GROUP BY ALL
ORDER BY connections DESC, service_host, service_port
