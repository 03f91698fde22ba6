"""Find a service in plain words, with synonyms and pinyin. No models, no network: every hit can be explained."""
