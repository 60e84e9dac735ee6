"""CloudWatch made honest: metrics, metric math, alarms. Its `..._hooks` hold the patches of moto it needs."""
