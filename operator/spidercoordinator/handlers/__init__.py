"""The only folder that imports kopf; each handler parses, gathers, decides and acts."""
