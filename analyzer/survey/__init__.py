"""Many flows by columns: sums, ranks, hosts, selections."""
