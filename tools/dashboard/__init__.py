"""The Grafana dashboard of the chart, its page in the docs, and its panels plotted."""
