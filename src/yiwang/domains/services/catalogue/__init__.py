"""A government's catalogue of service items 事项目录: imported as data, shown as guides, counted on a board."""
