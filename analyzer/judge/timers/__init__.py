"""What the gaps between probes say of the timers behind them."""
