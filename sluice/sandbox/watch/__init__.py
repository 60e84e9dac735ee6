"""CloudWatch made honest: metrics, metric math, alarms. Its `hooks` hold the patches of moto that it and `hosting` need."""
