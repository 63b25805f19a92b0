"""The plugin of kubectl as krew installs it: an archive and its manifest."""
